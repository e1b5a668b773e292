/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON, as thin as it can be over jansson, whose one home is this room. Reading
 * is bounded: size, depth 32, no duplicate keys, UTF-8 checked. Getters take NULL
 * for a missing object and treat null like a missing member, because meta and its
 * members may be either.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* jansson is linked into the same program and has functions of these names; ours must not take
 * their place when it calls its own. */
#define json_string  acmems_json_string
#define json_integer acmems_json_integer
#define json_copy    acmems_json_copy

struct json; /* a value; children belong to their root */

/* An object or array (anything else is refused). The caller frees it with json_free. NULL with
 * ERR_UPSTREAM if it is not good JSON. */
struct json *json_parse(const char *text, size_t len, struct err *e);
void json_free(struct json *root);

const struct json *json_member(
    const struct json *object, const char *key); /* NULL if absent or null */
const char *json_string(
    const struct json *object, const char *key); /* NULL if absent or no string; no NUL inside */
bool json_bool(const struct json *object, const char *key, bool fallback);
bool json_integer(const struct json *object, const char *key, int64_t *ret);
size_t json_array_count(const struct json *array); /* 0 if it is no array */
const struct json *json_array_at(const struct json *array, size_t i);
const char *json_array_string(const struct json *array, size_t i); /* NULL if no string */
bool json_is_object(const struct json *value);
/* Walks an object's members in their order: returns false to stop. */
void json_each(const struct json *object,
    bool (*fn)(const char *key, const struct json *value, void *arg), void *arg);

/* Building. */
struct json *json_new_object(void);
struct json *json_new_array(void);
void json_set_string(struct json *object, const char *key, const char *value); /* NULL: null */
void json_set_integer(struct json *object, const char *key, int64_t value);
void json_set_bool(struct json *object, const char *key, bool value);
void json_set(struct json *object, const char *key, struct json *value); /* takes value over */
void json_add_string(struct json *array, const char *value);
void json_add(struct json *array, struct json *value); /* takes value over */
struct json *json_copy(const struct json *value);      /* deep */
/* Text the caller frees; indent 0 = compact, in insertion order. */
char *json_text(const struct json *root, int indent);
