/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"

static void
test_grows_to_its_maximum(void **state)
{
	CLEANUP_BUF struct buf b;

	buf_init(&b, 1000);
	for (int i = 0; i < 100; i++)
		assert_true(buf_add(&b, "0123456789", 10));
	assert_int_equal(b.len, 1000);
	assert_int_equal(b.data[1000], '\0');
	assert_false(buf_failed(&b));
	assert_true(buf_add(&b, "", 0));
	assert_false(buf_add(&b, "x", 1));
	assert_int_equal(b.len, 1000);
	assert_true(buf_failed(&b));
}

static void
test_failure_stays(void **state)
{
	CLEANUP_BUF struct buf b;

	buf_init(&b, 4);
	assert_true(buf_adds(&b, "ab"));
	assert_false(buf_adds(&b, "cde"));
	assert_false(buf_adds(&b, "c"));
	assert_true(buf_failed(&b));
	assert_string_equal(b.data, "ab");
	buf_done(&b);
	assert_false(buf_failed(&b));
	assert_true(buf_adds(&b, "abcd"));
}

static void
test_format(void **state)
{
	CLEANUP_BUF struct buf b;

	buf_init(&b, 10);
	assert_true(buf_addf(&b, "%s", ""));
	assert_string_equal(b.data, "");
	assert_true(buf_addf(&b, "%d:%s", 12, "abc"));
	assert_string_equal(b.data, "12:abc");
	assert_true(buf_addf(&b, "%04d", 9));
	assert_false(buf_addf(&b, "%d", 1));
	assert_string_equal(b.data, "12:abc0009");
}

static void
test_take(void **state)
{
	struct buf b;
	size_t len = 99;
	char *p;

	buf_init(&b, SIZE_MAX);
	p = buf_take(&b, &len);
	assert_string_equal(p, "");
	assert_int_equal(len, 0);
	free(p);
	buf_add(&b, "a\0b", 3);
	p = buf_take(&b, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(p, "a\0b\0", 4);
	free(p);
	assert_int_equal(b.len, 0);
	assert_true(buf_adds(&b, "again"));
	free(buf_take(&b, NULL));
}

static void
test_huge_sizes_do_not_overflow(void **state)
{
	CLEANUP_BUF struct buf b;

	buf_init(&b, 100);
	buf_adds(&b, "abc");
	assert_false(buf_add(&b, "x", SIZE_MAX));
	assert_false(buf_add(&b, "x", SIZE_MAX - 2));
	assert_string_equal(b.data, "abc");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_grows_to_its_maximum),
	    cmocka_unit_test(test_failure_stays),
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_take),
	    cmocka_unit_test(test_huge_sizes_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
