/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "issue/store_census.h"

enum { DAY = 86400, LIFE = 90 * DAY, WITHIN = 14 * DAY, NOW = 1000 * DAY };

static int
setup(void **state)
{
	*state = store_census_new();
	return 0;
}

static int
teardown(void **state)
{
	store_census_free(*state);
	return 0;
}

/* Issued that many days before NOW. */
static void
add(struct store_census *c, const char *key, const char *name, int days)
{
	struct identifiers names = {0};
	struct identifier id;
	char names_key[CENSUS_NAMES];

	assert_true(identifier_dns(name, strlen(name), &id, NULL));
	identifiers_add(&names, &id);
	store_census_names(&names, key, names_key);
	store_census_add(
	    c, key, names_key, NOW - (int64_t)days * DAY, NOW - (int64_t)days * DAY + LIFE);
	identifiers_done(&names);
}

static struct store_figures
figures(const struct store_census *c)
{
	struct store_figures f;

	store_census_figures(c, WITHIN, NOW, &f);
	return f;
}

static void
test_nothing(void **state)
{
	struct store_figures f = figures(*state);

	assert_false(f.known);
	store_census_passed(*state);
	f = figures(*state);
	assert_true(f.known);
	assert_int_equal(f.held + f.due + f.expired, 0);
}

static void
test_figures(void **state)
{
	add(*state, "a", "new.example", 1);
	add(*state, "b", "due.example", 80);
	add(*state, "c", "over.example", 95);

	struct store_figures f = figures(*state);
	assert_int_equal(f.held, 3);
	assert_int_equal(f.expired, 1);
	assert_int_equal(f.due, 2);
	assert_int_equal(f.nearest_expiry, NOW - 5 * DAY);
	assert_int_equal(f.due_since, NOW - 5 * DAY - WITHIN);
}

/* A client that made a new key left the old entry behind, whichever is met first. */
static void
test_only_the_newest_counts(void **state)
{
	add(*state, "old", "a.example", 80);
	add(*state, "new", "a.example", 1);
	add(*state, "b-new", "b.example", 1);
	add(*state, "b-old", "b.example", 80);

	struct store_figures f = figures(*state);
	assert_int_equal(f.held, 2);
	assert_int_equal(f.due, 0);
	/* Replaced by hand with what was before. */
	add(*state, "new", "a.example", 85);
	assert_int_equal(figures(*state).due, 1);
}

static void
test_remove(void **state)
{
	add(*state, "old", "a.example", 80);
	add(*state, "new", "a.example", 1);
	store_census_remove(*state, "old");
	assert_int_equal(figures(*state).held, 1);
	store_census_remove(*state, "new");
	assert_int_equal(figures(*state).held, 0);
	/* The walk meets what is left. */
	add(*state, "old", "a.example", 80);
	assert_int_equal(figures(*state).held, 1);
}

static void
test_a_pass_forgets_what_it_did_not_meet(void **state)
{
	add(*state, "a", "a.example", 1);
	add(*state, "b", "b.example", 1);
	store_census_passed(*state);
	assert_int_equal(figures(*state).held, 2);
	add(*state, "a", "a.example", 1);
	store_census_passed(*state);
	assert_int_equal(figures(*state).held, 1);
	store_census_passed(*state);
	assert_int_equal(figures(*state).held, 0);
}

/* The newest was removed behind our back: the older one takes its place a pass later. */
static void
test_an_older_one_takes_over(void **state)
{
	add(*state, "old", "a.example", 80);
	add(*state, "new", "a.example", 1);
	store_census_passed(*state);
	add(*state, "old", "a.example", 80);
	store_census_passed(*state);
	add(*state, "old", "a.example", 80);
	store_census_passed(*state);
	assert_int_equal(figures(*state).held, 1);
	assert_int_equal(figures(*state).due, 1);
}

static void
test_unknown_names_are_of_one_entry(void **state)
{
	char a[CENSUS_NAMES];
	char b[CENSUS_NAMES];

	store_census_names(NULL, "key-a", a);
	store_census_names(NULL, "key-b", b);
	store_census_add(*state, "key-a", a, NOW, NOW + LIFE);
	store_census_add(*state, "key-b", b, NOW, NOW + LIFE);
	assert_int_equal(figures(*state).held, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_nothing),
	    TEST(test_figures),
	    TEST(test_only_the_newest_counts),
	    TEST(test_remove),
	    TEST(test_a_pass_forgets_what_it_did_not_meet),
	    TEST(test_an_older_one_takes_over),
	    TEST(test_unknown_names_are_of_one_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
