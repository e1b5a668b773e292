/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A struct json is jansson's json_t under a name of ours: only this file knows. */
#include <jansson.h>
#undef json_is_object

#include "codec/json.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { DEPTH_MAX = 32 };

static json_t *mutable(const struct json *value)
{
	return (json_t *)value;
}

/* jansson fails only for want of memory where our arguments are sound. */
static void *
checked(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static void
must(int result)
{
	if (result != 0)
		abort();
}

/* jansson stops at a depth of 2048 itself, so this recursion is bounded too. */
static bool
deeper_than(json_t *value, int levels)
{
	const char *key;
	json_t *child;
	size_t i;

	if (!json_is_array(value) && json_typeof(value) != JSON_OBJECT)
		return false;
	if (levels == 0)
		return true;
	json_array_foreach(value, i, child)
	{
		if (deeper_than(child, levels - 1))
			return true;
	}
	json_object_foreach(value, key, child)
	{
		if (deeper_than(child, levels - 1))
			return true;
	}
	return false;
}

struct json *
json_parse(const char *text, size_t len, struct err *e)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (root == NULL) {
		err_set(e, ERR_UPSTREAM, "not valid JSON (line %d, column %d): %s", error.line,
		    error.column, error.text);
		return NULL;
	}
	if (deeper_than(root, DEPTH_MAX)) {
		json_decref(root);
		err_set(e, ERR_UPSTREAM, "JSON nested deeper than %d levels", DEPTH_MAX);
		return NULL;
	}
	return (struct json *)root;
}

void
json_free(struct json *root)
{
	json_decref((json_t *)root);
}

const struct json *
json_member(const struct json *object, const char *key)
{
	json_t *value = json_object_get((const json_t *)object, key);

	return json_is_null(value) ? NULL : (const struct json *)value;
}

const char *
json_string(const struct json *object, const char *key)
{
	return json_string_value(json_object_get((const json_t *)object, key));
}

bool
json_bool(const struct json *object, const char *key, bool fallback)
{
	const json_t *value = json_object_get((const json_t *)object, key);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

bool
json_integer(const struct json *object, const char *key, int64_t *ret)
{
	const json_t *value = json_object_get((const json_t *)object, key);

	if (!json_is_integer(value))
		return false;
	*ret = json_integer_value(value);
	return true;
}

size_t
json_array_count(const struct json *array)
{
	return json_array_size((const json_t *)array);
}

const struct json *
json_array_at(const struct json *array, size_t i)
{
	json_t *value = json_array_get((const json_t *)array, i);

	return json_is_null(value) ? NULL : (const struct json *)value;
}

const char *
json_array_string(const struct json *array, size_t i)
{
	return json_string_value(json_array_get((const json_t *)array, i));
}

bool
json_is_object(const struct json *value)
{
	return value != NULL && json_typeof((const json_t *)value) == JSON_OBJECT;
}

void
json_each(const struct json *object,
    bool (*fn)(const char *key, const struct json *value, void *arg), void *arg)
{
	const char *key;
	json_t *value;

	json_object_foreach(mutable(object), key, value)
	{
		if (!fn(key, (const struct json *)value, arg))
			return;
	}
}

struct json *
json_new_object(void)
{
	return checked(json_object());
}

struct json *
json_new_array(void)
{
	return checked(json_array());
}

/* A string of ours, even if what it quotes is no UTF-8: JSON has no place for other bytes. */
static struct json *
new_string(const char *value)
{
	json_t *string = json_stringn(value, strlen(value));
	char *ascii;

	if (string != NULL)
		return (struct json *)string;
	ascii = xstrdup(value);
	for (char *p = ascii; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	string = json_stringn(ascii, strlen(ascii));
	free(ascii);
	return checked(string);
}

void
json_set_string(struct json *object, const char *key, const char *value)
{
	json_set(object, key, value != NULL ? new_string(value) : (struct json *)json_null());
}

void
json_set_integer(struct json *object, const char *key, int64_t value)
{
	json_set(object, key, checked(json_pack("I", (json_int_t)value)));
}

void
json_set_bool(struct json *object, const char *key, bool value)
{
	json_set(object, key, (struct json *)json_boolean(value));
}

void
json_set(struct json *object, const char *key, struct json *value)
{
	must(json_object_set_new((json_t *)object, key, (json_t *)value));
}

void
json_add_string(struct json *array, const char *value)
{
	json_add(array, new_string(value));
}

void
json_add(struct json *array, struct json *value)
{
	must(json_array_append_new((json_t *)array, (json_t *)value));
}

struct json *
json_copy(const struct json *value)
{
	return checked(json_deep_copy((const json_t *)value));
}

char *
json_text(const struct json *root, int indent)
{
	size_t flags = indent > 0 ? JSON_INDENT((size_t)indent) : JSON_COMPACT;

	return checked(json_dumps((const json_t *)root, flags | JSON_ENCODE_ANY));
}
