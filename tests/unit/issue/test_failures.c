/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "ev/loop.h"
#include "fake_clock.h"
#include "issue/failures.h"

enum { MINUTE = 60 * 1000 };

static struct loop *loop;

static int
setup(void **state)
{
	fake_clock_reset();
	loop = loop_new(NULL);
	return 0;
}

static int
teardown(void **state)
{
	loop_free(loop);
	return 0;
}

static void
fails(struct failures *f, const char *key, int64_t retry_after)
{
	struct err e;

	err_set(&e, ERR_VALIDATION, "no such host");
	e.problem = 7;
	e.retry_after = retry_after;
	failures_add(f, key, &e);
}

/* Seconds until key may be tried again; 0: now. */
static int64_t
pause_of(struct failures *f, const char *key)
{
	struct err e;

	if (!failures_check(f, key, &e))
		return 0;
	assert_int_equal(e.kind, ERR_VALIDATION);
	assert_int_equal(e.problem, 7);
	assert_string_equal(e.detail, "no such host");
	return e.retry_after;
}

static void
test_doubles(void **state)
{
	static const int minutes[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct failures *f = failures_new(10);

	assert_int_equal(pause_of(f, "a"), 0);
	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		fails(f, "a", 0);
		assert_int_equal(pause_of(f, "a"), 60 * minutes[i]);
		assert_int_equal(pause_of(f, "b"), 0);
		fake_clock_advance(loop, minutes[i] * MINUTE - 1);
		assert_int_equal(pause_of(f, "a"), 1);
		fake_clock_advance(loop, 1);
		assert_int_equal(pause_of(f, "a"), 0);
	}
	failures_free(f);
	failures_free(NULL);
}

static void
test_retry_after_and_jitter(void **state)
{
	struct failures *f = failures_new(10);

	fails(f, "a", 3600);
	assert_int_equal(pause_of(f, "a"), 3600);
	fails(f, "b", 5);
	assert_int_equal(pause_of(f, "b"), 60);
	fails(f, "c", 1000000000);
	assert_int_equal(pause_of(f, "c"), 7 * 24 * 3600);
	fake_random_set(6000);
	fails(f, "d", 0);
	assert_int_equal(pause_of(f, "d"), 66);
	failures_free(f);
}

static void
test_forgotten(void **state)
{
	struct failures *f = failures_new(3);

	fails(f, "a", 0);
	fails(f, "a", 0);
	failures_clear(f, "a");
	failures_clear(f, "never there");
	assert_int_equal(pause_of(f, "a"), 0);
	fails(f, "a", 0);
	assert_int_equal(pause_of(f, "a"), 60);
	failures_forget(f);
	assert_int_equal(failures_count(f), 0);
	/* Long ago is no reason to begin with the longest pause. */
	for (int i = 0; i < 8; i++)
		fails(f, "a", 0);
	fake_clock_advance(loop, 24 * 60 * MINUTE);
	assert_int_equal(pause_of(f, "a"), 0);
	fails(f, "a", 0);
	assert_int_equal(pause_of(f, "a"), 60);
	failures_free(f);
}

static void
test_bounded(void **state)
{
	struct failures *f = failures_new(3);

	fails(f, "a", 0);
	fails(f, "b", 0);
	fails(f, "c", 0);
	fails(f, "a", 0);
	fails(f, "d", 0); /* b failed longest ago */
	assert_int_equal(failures_count(f), 3);
	assert_int_equal(pause_of(f, "b"), 0);
	assert_int_equal(pause_of(f, "a"), 120);
	failures_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_doubles, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_retry_after_and_jitter, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_forgotten, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
