/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A map from byte strings to pointers, on libc's balanced tree (tsearch), so
 * that no peer can choose keys that make it slow. Keys are copied; values are
 * not owned.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct map;

struct map *map_new(void);
/* Frees the map, not the values. NULL is fine. */
void map_free(struct map *m);
size_t map_count(const struct map *m);
/* The value, or NULL. */
void *map_get(const struct map *m, const void *key, size_t key_len);
/* Stores value (not NULL); returns the value that was there before, or NULL. */
void *map_put(struct map *m, const void *key, size_t key_len, void *value);
/* Removes the key; returns the value that was there, or NULL. */
void *map_remove(struct map *m, const void *key, size_t key_len);
/* Calls fn for every entry in key order. fn must not change the map. */
void map_each(const struct map *m,
    void (*fn)(const void *key, size_t key_len, void *value, void *arg), void *arg);
/* The first entry whose key is greater than key (NULL, 0: the first of all): value and its key
 * (valid until the map changes), or NULL at the end. A cursor that survives changes. */
void *map_next(const struct map *m, const void *key, size_t key_len, const void **ret_key,
    size_t *ret_key_len);
