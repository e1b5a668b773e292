/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/text.h"

static void
test_trim(void **state)
{
	const char *p = " \t a b\r\n";
	size_t len = strlen(p);

	text_trim(&p, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(p, "a b", 3);
	p = " \n";
	len = 2;
	text_trim(&p, &len);
	assert_int_equal(len, 0);
}

static void
test_uint(void **state)
{
	uint64_t n = 7;

	assert_true(text_parse_uint("0", 1, 0, &n));
	assert_int_equal(n, 0);
	assert_true(text_parse_uint("18446744073709551615", 20, UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_false(text_parse_uint("18446744073709551616", 20, UINT64_MAX, &n));
	assert_false(text_parse_uint("11", 2, 10, &n));
	assert_false(text_parse_uint("", 0, 10, &n));
	assert_false(text_parse_uint("+1", 2, 10, &n));
	assert_false(text_parse_uint(" 1", 2, 10, &n));
}

static void
test_equal_nocase(void **state)
{
	assert_true(text_equal_nocase("AbC", 3, "aBc"));
	assert_false(text_equal_nocase("AbC", 2, "aBc"));
	assert_false(text_equal_nocase("ab\0", 3, "ab"));
}

static void
test_quote(void **state)
{
	char out[TEXT_QUOTE_MAX], big[200];

	assert_string_equal(text_quote("a\0\n\xff"
				       "b",
				5, out),
	    "a???b");
	assert_string_equal(text_quote("", 0, out), "");
	memset(big, 'x', sizeof(big));
	text_quote(big, sizeof(big), out);
	assert_int_equal(strlen(out), TEXT_QUOTE_MAX - 1);
	assert_string_equal(out + TEXT_QUOTE_MAX - 4, "...");
	text_quote(big, TEXT_QUOTE_MAX - 4, out);
	assert_int_equal(strlen(out), TEXT_QUOTE_MAX - 4);
}

static void
test_copy(void **state)
{
	char out[4];

	text_copy(out, sizeof(out), "abc");
	assert_string_equal(out, "abc");
	text_copy(out, sizeof(out), "ab\xc3\xa4");
	assert_string_equal(out, "ab");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trim),
	    cmocka_unit_test(test_uint),
	    cmocka_unit_test(test_equal_nocase),
	    cmocka_unit_test(test_quote),
	    cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
