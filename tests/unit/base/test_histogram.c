/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"

static void
test_bounds_belong_to_their_bucket(void **state)
{
	struct histogram h = {0};

	(void)state;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		histogram_add(&h, histogram_bound(i));
		histogram_add(&h, histogram_bound(i) + 1);
		assert_int_equal(histogram_upto(&h, i), 2 * i + 1);
		if (i > 0)
			assert_true(histogram_bound(i) > histogram_bound(i - 1));
	}
	assert_int_equal(histogram_upto(&h, HISTOGRAM_BUCKETS), (size_t)2 * HISTOGRAM_BUCKETS);
}

static void
test_sum(void **state)
{
	struct histogram h = {0};

	(void)state;
	histogram_add(&h, 1500);
	histogram_add(&h, 7000);
	/* A clock that was set back. */
	histogram_add(&h, -5);
	assert_int_equal(h.sum_ms, 8500);
	assert_int_equal(histogram_upto(&h, 0), 1);
	assert_int_equal(histogram_upto(&h, HISTOGRAM_BUCKETS), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bounds_belong_to_their_bucket),
	    cmocka_unit_test(test_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
