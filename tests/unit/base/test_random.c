/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

static void
test_bytes_differ(void **state)
{
	unsigned char a[300] = {0}, b[300] = {0};

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	random_bytes(a, 0);
}

static void
test_below(void **state)
{
	unsigned seen[6] = {0};

	assert_int_equal(random_below(1), 0);
	for (int i = 0; i < 6000; i++) {
		uint32_t n = random_below(6);
		assert_true(n < 6);
		seen[n]++;
	}
	for (int i = 0; i < 6; i++)
		assert_in_range(seen[i], 700, 1300);
	for (int i = 0; i < 100; i++)
		assert_true(random_below(UINT32_MAX) < UINT32_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes_differ),
	    cmocka_unit_test(test_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
