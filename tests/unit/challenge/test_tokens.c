/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "challenge/tokens.h"
#include "ev/loop.h"

static struct loop *loop;
static struct tokens *tokens;
static struct identifier name;

static int
setup(void **state)
{
	loop = loop_new(NULL);
	tokens = tokens_new(loop);
	return identifier_dns("www.example", 11, &name, NULL) ? 0 : -1;
}

static int
teardown(void **state)
{
	tokens_free(tokens);
	tokens_free(NULL);
	loop_free(loop);
	return 0;
}

static void
fetched(void *arg)
{
	++*(int *)arg;
}

static bool
add(const char *token, const char *key_authorization, int *count, struct err *e)
{
	struct acme_answer answer = {&name, token, key_authorization};

	return tokens_add(tokens, &answer, fetched, count, e);
}

static const struct token *
find(const char *token)
{
	return tokens_find(tokens, token, strlen(token));
}

static void
test_counted(void **state)
{
	int first = 0, second = 0;

	assert_null(find("t"));
	assert_true(add("t", "t.thumb", &first, NULL));
	assert_true(add("t", "t.thumb", &second, NULL));
	assert_int_equal(tokens_count(tokens), 1);
	assert_string_equal(token_key_authorization(find("t")), "t.thumb");
	assert_string_equal(token_name(find("t")), "www.example");
	assert_true(tokens_remove(tokens, "t", &first));
	assert_false(tokens_remove(tokens, "t", &first));
	assert_non_null(find("t"));
	assert_true(tokens_remove(tokens, "t", &second));
	assert_null(find("t"));
	assert_false(tokens_remove(tokens, "t", &second));
	assert_int_equal(tokens_count(tokens), 0);
}

static void
test_one_key_authorization(void **state)
{
	int first = 0, second = 0;
	struct err e;

	assert_true(add("t", "t.thumb", &first, NULL));
	assert_false(add("t", "t.other", &second, &e));
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_false(tokens_remove(tokens, "t", &second));
}

static void
test_all_are_told_after_the_turn(void **state)
{
	int first = 0, second = 0, gone = 0;

	add("t", "t.thumb", &first, NULL);
	add("t", "t.thumb", &gone, NULL);
	add("t", "t.thumb", &second, NULL);
	tokens_fetched(tokens, find("t"));
	tokens_fetched(tokens, find("t"));
	assert_int_equal(first + second, 0);
	tokens_remove(tokens, "t", &gone);
	loop_turn(loop, false);
	assert_int_equal(first, 1);
	assert_int_equal(second, 1);
	assert_int_equal(gone, 0);
	tokens_fetched(tokens, find("t"));
	loop_turn(loop, false);
	assert_int_equal(first, 2);
}

static void
test_prefix_is_no_token(void **state)
{
	int count = 0;

	add("token", "x", &count, NULL);
	assert_null(tokens_find(tokens, "token", 4));
	assert_null(find("tokens"));
	assert_null(find(""));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_counted),
	    TEST(test_one_key_authorization),
	    TEST(test_all_are_told_after_the_turn),
	    TEST(test_prefix_is_no_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
