/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/json.h"

static struct json *
parse(const char *text)
{
	return json_parse(text, strlen(text), NULL);
}

static void
test_getters(void **state)
{
	struct json *root = parse("{\"s\":\"x\",\"n\":null,\"i\":-5,\"t\":true,\"f\":false,\"a\":["
				  "\"p\",null,{}],\"o\":{\"k\":\"v\"}}");
	int64_t i = 9;

	assert_non_null(root);
	assert_true(json_is_object(root));
	assert_string_equal(json_string(root, "s"), "x");
	assert_null(json_string(root, "n"));
	assert_null(json_string(root, "i"));
	assert_null(json_string(root, "none"));
	assert_null(json_member(root, "n"));
	assert_null(json_member(root, "none"));
	assert_true(json_integer(root, "i", &i));
	assert_int_equal(i, -5);
	assert_false(json_integer(root, "s", &i));
	assert_int_equal(i, -5);
	assert_true(json_bool(root, "t", false));
	assert_false(json_bool(root, "f", true));
	assert_true(json_bool(root, "n", true));
	assert_int_equal(json_array_count(json_member(root, "a")), 3);
	assert_string_equal(json_array_string(json_member(root, "a"), 0), "p");
	assert_null(json_array_string(json_member(root, "a"), 1));
	assert_null(json_array_at(json_member(root, "a"), 1));
	assert_true(json_is_object(json_array_at(json_member(root, "a"), 2)));
	assert_null(json_array_at(json_member(root, "a"), 3));
	assert_string_equal(json_string(json_member(root, "o"), "k"), "v");
	json_free(root);
}

static void
test_missing_objects_are_fine(void **state)
{
	int64_t i;

	assert_null(json_member(NULL, "x"));
	assert_null(json_string(NULL, "x"));
	assert_true(json_bool(NULL, "x", true));
	assert_false(json_integer(NULL, "x", &i));
	assert_int_equal(json_array_count(NULL), 0);
	assert_null(json_array_at(NULL, 0));
	assert_null(json_array_string(NULL, 0));
	assert_false(json_is_object(NULL));
	json_each(NULL, NULL, NULL);
	json_free(NULL);
}

static void
test_refused(void **state)
{
	static const char *const rows[] = {"", " ", "null", "\"x\"", "5", "{", "{}x",
	    "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}", "[1,]", "<html>",
	    "{\"a\":1e999}", "{'a':1}"};
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err_clear(&e);
		assert_null(json_parse(rows[i], strlen(rows[i]), &e));
		assert_int_equal(e.kind, ERR_UPSTREAM);
	}
	assert_null(json_parse("{}\0", 3, &e));
}

static void
test_depth(void **state)
{
	char text[200000];
	struct json *root;
	struct err e;

	for (size_t depth = 30; depth <= 35; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		root = json_parse(text, 2 * depth, &e);
		assert_int_equal(root != NULL, depth <= 32);
		json_free(root);
	}
	memset(text, '[', sizeof(text));
	assert_null(json_parse(text, sizeof(text), &e));
}

static bool
collect(const char *key, const struct json *value, void *arg)
{
	strcat(arg, key);
	return strcmp(key, "m") != 0;
}

static void
test_each_in_order(void **state)
{
	struct json *root = parse("{\"z\":1,\"a\":2,\"m\":3,\"b\":4}");
	char keys[8] = "";

	json_each(root, collect, keys);
	assert_string_equal(keys, "zam");
	json_free(root);
}

static void
test_building(void **state)
{
	struct json *root = json_new_object(), *list = json_new_array(), *copy;
	char *text;

	json_set_string(root, "z", "\"\n\xc3\xa4/");
	json_set_string(root, "none", NULL);
	json_set_integer(root, "i", INT64_MIN);
	json_set_bool(root, "t", true);
	json_add_string(list, "one");
	json_add(list, json_new_object());
	json_set(root, "l", list);
	copy = json_copy(root);
	json_set_string(root, "z", "changed");
	text = json_text(copy, 0);
	assert_string_equal(text,
	    "{\"z\":\"\\\"\\n\xc3\xa4/\",\"none\":null,\"i\":-9223372036854775808,"
	    "\"t\":true,\"l\":[\"one\",{}]}");
	free(text);
	text = json_text(list, 2);
	assert_string_equal(text, "[\n  \"one\",\n  {}\n]");
	free(text);
	json_free(root);
	json_free(copy);
}

static void
test_bytes_that_are_no_utf8(void **state)
{
	struct json *root = json_new_object();
	char *text;

	json_set_string(root, "a", "x\xff\xc3");
	text = json_text(root, 0);
	assert_string_equal(text, "{\"a\":\"x??\"}");
	free(text);
	json_free(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_getters),
	    cmocka_unit_test(test_missing_objects_are_fine),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_each_in_order),
	    cmocka_unit_test(test_building),
	    cmocka_unit_test(test_bytes_that_are_no_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
