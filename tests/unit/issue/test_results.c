/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ev/loop.h"
#include "fake_clock.h"
#include "issue/results.h"

enum { HOUR = 60 * 60 * 1000 };

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
put(struct results *r, const char *key, const char *pem, bool once)
{
	struct result result = {.pem = pem, .pem_len = strlen(pem), .once = once};

	results_put(r, key, &result);
}

static const char *
get(struct results *r, const char *key)
{
	const struct result *result = results_get(r, key);

	return result == NULL ? NULL : result->pem;
}

static void
test_an_hour(void **state)
{
	struct results *r = results_new(10, 1000);

	put(r, "a", "first", true);
	fake_clock_advance(loop, HOUR / 2);
	put(r, "b", "second", true);
	fake_clock_advance(loop, HOUR / 2 - 1);
	assert_string_equal(get(r, "a"), "first");
	fake_clock_advance(loop, 1);
	assert_null(get(r, "a"));
	assert_string_equal(get(r, "b"), "second");
	put(r, "b", "third", true);
	fake_clock_advance(loop, HOUR - 1);
	assert_string_equal(get(r, "b"), "third");
	results_free(r);
	results_free(NULL);
}

static void
test_taken(void **state)
{
	struct results *r = results_new(10, 1000);

	put(r, "once", "a", true);
	put(r, "stays", "b", false);
	results_taken(r, "once");
	results_taken(r, "stays");
	results_taken(r, "never there");
	assert_null(get(r, "once"));
	assert_string_equal(get(r, "stays"), "b");
	results_free(r);
}

static void
test_bounded(void **state)
{
	struct results *r = results_new(2, 10);

	put(r, "a", "1234", true);
	put(r, "b", "1234", true);
	put(r, "c", "1234", true);
	assert_null(get(r, "a"));
	assert_int_equal(results_count(r), 2);
	put(r, "d", "123456789", true);
	assert_null(get(r, "c"));
	put(r, "e", "12345678901", true);
	assert_null(get(r, "e"));
	assert_string_equal(get(r, "d"), "123456789");
	results_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_an_hour, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_taken, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
