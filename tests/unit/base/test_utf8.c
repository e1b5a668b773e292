/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void
test_printable(void **state)
{
	assert_int_equal(utf8_printable("a"), 1);
	assert_int_equal(utf8_printable("\xc3\xa4"), 2);
	assert_int_equal(utf8_printable("\xe2\x82\xac"), 3);
	assert_int_equal(utf8_printable("\xf0\x9f\x98\x80"), 4);
}

static void
test_not_printable(void **state)
{
	static const char *const rows[] = {"", "\x1f", "\x7f", "\x80", "\xff", "\xc2\x9b", "\xc3",
	    "\xc3x", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x9f\x98",
	    "\xe2\x80\xa8", "\xe2\x80\xa9"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(utf8_printable(rows[i]), 0);
}

static void
test_cut(void **state)
{
	assert_int_equal(utf8_cut("abc", 5), 3);
	assert_int_equal(utf8_cut("abc", 3), 3);
	assert_int_equal(utf8_cut("abc", 2), 2);
	assert_int_equal(utf8_cut("a\xe2\x82\xac", 3), 1);
	assert_int_equal(utf8_cut("a\xe2\x82\xac", 4), 4);
	assert_int_equal(utf8_cut("\x80\x80\x80", 2), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_printable),
	    cmocka_unit_test(test_not_printable),
	    cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
