/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acme/bucket.h"

static void
burst_then_rate(void **state)
{
	struct tokens t;

	tokens_init(&t, 15, 40, 1000);
	for (int i = 0; i < 40; i++)
		assert_true(tokens_take(&t, 1000));
	assert_false(tokens_take(&t, 1000));
	assert_int_equal(tokens_wait(&t, 1000), 67);
	assert_false(tokens_take(&t, 1066));
	assert_true(tokens_take(&t, 1067));
	assert_false(tokens_take(&t, 1067));
}

/* What is waited for is there then, whatever the rate. */
static void
the_wait_is_enough(void **state)
{
	static const double rates[] = {0.1, 0.3, 1, 3, 7, 15, 33.3, 999, 5000};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct tokens t;
		int64_t now = 5;

		tokens_init(&t, rates[i], 1, now);
		for (int k = 0; k < 1000; k++) {
			now += tokens_wait(&t, now);
			assert_true(tokens_take(&t, now));
		}
		assert_true((double)(now - 5) >= 999 * 1000.0 / rates[i] - 1);
	}
}

static void
never_more_than_the_burst(void **state)
{
	struct tokens t;
	int n = 0;

	tokens_init(&t, 100, 5, 0);
	while (tokens_take(&t, 1000 * 1000))
		n++;
	assert_int_equal(n, 5);
}

static void
no_limit(void **state)
{
	struct tokens t;

	tokens_init(&t, 0, 0, 0);
	for (int i = 0; i < 10000; i++)
		assert_true(tokens_take(&t, 0));
	assert_int_equal(tokens_wait(&t, 0), 0);
}

static void
burst_of_none_is_one(void **state)
{
	struct tokens t;

	tokens_init(&t, 2, 0, 0);
	assert_true(tokens_take(&t, 0));
	assert_false(tokens_take(&t, 0));
	assert_true(tokens_take(&t, 500));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(burst_then_rate),
	    cmocka_unit_test(the_wait_is_enough),
	    cmocka_unit_test(never_more_than_the_burst),
	    cmocka_unit_test(no_limit),
	    cmocka_unit_test(burst_of_none_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
