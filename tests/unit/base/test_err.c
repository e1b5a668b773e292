/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/err.h"

static void
test_set(void **state)
{
	struct err e = {.problem = 3, .retry_after = 9};

	assert_false(err_set(&e, ERR_BAD_CSR, "%s is %d", "x", 5));
	assert_int_equal(e.kind, ERR_BAD_CSR);
	assert_int_equal(e.problem, 0);
	assert_int_equal(e.retry_after, 0);
	assert_string_equal(e.detail, "x is 5");
	err_clear(&e);
	assert_int_equal(e.kind, ERR_NONE);
	assert_string_equal(e.detail, "");
}

static void
test_null_is_fine(void **state)
{
	assert_false(err_set(NULL, ERR_BAD_CSR, "x"));
	assert_false(err_prefix(NULL, "x"));
	assert_false(err_errno(NULL, ERR_BAD_CSR, ENOENT, "x"));
	err_clear(NULL);
}

static void
test_prefix_keeps_the_rest(void **state)
{
	struct err e;

	err_set(&e, ERR_BUSY, "full");
	e.problem = 4;
	e.retry_after = 17;
	assert_false(err_prefix(&e, "order %d", 7));
	assert_string_equal(e.detail, "order 7: full");
	assert_int_equal(e.kind, ERR_BUSY);
	assert_int_equal(e.problem, 4);
	assert_int_equal(e.retry_after, 17);
}

static void
test_errno(void **state)
{
	struct err e;

	assert_false(err_errno(&e, ERR_CONFIG, ENOENT, "%s", "/x"));
	assert_string_equal(e.detail, "/x: No such file or directory");
}

static void
test_one_line(void **state)
{
	struct err e;

	err_set(&e, ERR_UPSTREAM, "a\r\nb");
	assert_string_equal(e.detail, "a  b");
}

static void
test_own_detail_as_argument(void **state)
{
	struct err e;

	err_set(&e, ERR_UPSTREAM, "inner");
	err_set(&e, ERR_INTERNAL, "<%s>", e.detail);
	assert_string_equal(e.detail, "<inner>");
}

static void
test_cut_between_characters(void **state)
{
	char text[ERR_DETAIL_MAX + 10];
	struct err e;

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_set(&e, ERR_UPSTREAM, "%s", text);
	assert_int_equal(strlen(e.detail), ERR_DETAIL_MAX - 1);
	err_prefix(&e, "%s", text);
	assert_int_equal(strlen(e.detail), ERR_DETAIL_MAX - 1);
	err_errno(&e, ERR_UPSTREAM, ENOENT, "%s", text);
	assert_int_equal(strlen(e.detail), ERR_DETAIL_MAX - 1);

	/* A two-byte character across the end is left out whole. */
	memcpy(text + ERR_DETAIL_MAX - 2, "\xc3\xa4", 2);
	err_set(&e, ERR_UPSTREAM, "%s", text);
	assert_int_equal(strlen(e.detail), ERR_DETAIL_MAX - 2);
	memcpy(text + ERR_DETAIL_MAX - 3, "\xc3\xa4", 2);
	text[ERR_DETAIL_MAX - 1] = '\0';
	err_set(&e, ERR_UPSTREAM, "%s", text);
	assert_int_equal(strlen(e.detail), ERR_DETAIL_MAX - 1);
}

static void
test_every_kind_has_its_own_name(void **state)
{
	for (int i = 0; i < ERR_KIND_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
			    err_kind_name((enum err_kind)i), err_kind_name((enum err_kind)j));
	assert_string_equal(err_kind_name(ERR_BAD_CSR), "bad_csr");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_set),
	    cmocka_unit_test(test_null_is_fine),
	    cmocka_unit_test(test_prefix_keeps_the_rest),
	    cmocka_unit_test(test_errno),
	    cmocka_unit_test(test_one_line),
	    cmocka_unit_test(test_own_detail_as_argument),
	    cmocka_unit_test(test_cut_between_characters),
	    cmocka_unit_test(test_every_kind_has_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
