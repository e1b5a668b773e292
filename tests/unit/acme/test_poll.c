/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "acme/poll.h"

enum { LONG = 1000 * 1000 };

static void
doubles_with_jitter(void **state)
{
	static const int64_t wanted[] = {250, 500, 1000, 2000, 4000, 5000, 5000, 5000};
	struct poll p;

	poll_init(&p, false);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_in_range(poll_next(&p, LONG), wanted[i], wanted[i] * 6 / 5);
	poll_init(&p, true);
	assert_in_range(poll_next(&p, LONG), 20, 24);
	assert_in_range(poll_next(&p, LONG), 40, 48);
}

static void
floor_and_deadline(void **state)
{
	struct poll p;

	poll_init(&p, false);
	poll_heard(&p, 7);
	assert_int_equal(poll_next(&p, LONG), 7000);
	assert_int_equal(poll_next(&p, 5000), 3000);
	poll_heard(&p, -1);
	assert_in_range(poll_next(&p, LONG), 1000, 1200);
	assert_int_equal(poll_next(&p, 100), 100);
	assert_int_equal(poll_next(&p, 0), 0);
	poll_heard(&p, 86400);
	assert_true(poll_next(&p, 1000) <= 1000);
}

/* However long the CA says, it ends: no busy loop in the last seconds. */
static void
the_last_seconds(void **state)
{
	struct poll p;
	int64_t left = 60 * 1000;
	int polls = 0;

	poll_init(&p, false);
	poll_heard(&p, 3600);
	while (left > 0) {
		left -= poll_next(&p, left);
		polls++;
	}
	assert_in_range(polls, 2, 10);
}

static void
forgives(void **state)
{
	struct err e;
	struct poll p;

	poll_init(&p, false);
	err_set(&e, ERR_UPSTREAM, "x");
	for (int i = 0; i < 3; i++)
		assert_true(poll_forgives(&p, 500, &e));
	assert_false(poll_forgives(&p, 500, &e));
	poll_heard(&p, -1);
	assert_true(poll_forgives(&p, 0, &e));
	err_set(&e, ERR_ACCOUNT, "x");
	assert_false(poll_forgives(&p, 400, &e));
	err_set(&e, ERR_TIMEOUT, "x");
	assert_false(poll_forgives(&p, 0, &e));
	err_set(&e, ERR_RATE_LIMITED, "x");
	e.retry_after = 30;
	for (int i = 0; i < 100; i++)
		assert_true(poll_forgives(&p, 429, &e));
	assert_int_equal(poll_next(&p, LONG), 30000);
}

static void
hurries(void **state)
{
	struct poll p;
	int n = 0;

	poll_init(&p, false);
	while (poll_hurry(&p) >= 0)
		n++;
	assert_int_equal(n, 10);
	poll_init(&p, false);
	poll_heard(&p, 5);
	assert_int_equal(poll_hurry(&p), -1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(doubles_with_jitter),
	    cmocka_unit_test(floor_and_deadline),
	    cmocka_unit_test(the_last_seconds),
	    cmocka_unit_test(forgives),
	    cmocka_unit_test(hurries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
