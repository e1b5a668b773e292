/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/counter.h"

static void
test_counts(void **state)
{
	assert_int_equal(counter_get(COUNTER_REQUESTS), 0);
	counter_add(COUNTER_REQUESTS, 1);
	counter_add(COUNTER_REQUESTS, 2);
	assert_int_equal(counter_get(COUNTER_REQUESTS), 3);
	assert_int_equal(counter_get(COUNTER_CACHE_HITS), 0);
}

static void
test_every_counter_has_its_own_name(void **state)
{
	for (int i = 0; i < COUNTER_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
			    counter_name((enum counter)i), counter_name((enum counter)j));
	assert_string_equal(counter_name(COUNTER_CACHE_HITS), "cache_hits");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_every_counter_has_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
