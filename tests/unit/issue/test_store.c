/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "issue/store.h"

enum { DAY = 86400 };

static bool
due(int64_t lifetime_days, int64_t left_days, int64_t within_days, bool *ret_clamped)
{
	struct leaf_info leaf = {.not_before = 1000000, .not_after = 1000000 + lifetime_days * DAY};

	return store_due(&leaf, within_days * DAY, leaf.not_after - left_days * DAY, ret_clamped);
}

static void
test_due(void **state)
{
	static const struct {
		int lifetime, left, within;
		bool due, clamped;
	} rows[] = {
	    {90, 15, 14, false, false},
	    {90, 14, 14, false, false},
	    {90, 13, 14, true, false},
	    {90, 31, 60, true, false}, /* exactly two thirds */
	    {90, 61, 61, false, true},
	    {90, 31, 61, false, true}, /* a third: 30 days */
	    {90, 29, 61, true, true},
	    {6, 4, 14, false, true}, /* half: 3 days */
	    {6, 2, 14, true, true},
	    {12, 5, 14, false, true}, /* a third: 4 days */
	    {12, 3, 14, true, true},
	    {90, 1, 0, false, false},
	    {90, 0, 0, true, false}, /* expired */
	    {90, -1, 0, true, false},
	};
	bool clamped;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is = due(rows[i].lifetime, rows[i].left, rows[i].within, &clamped);
		if (is != rows[i].due || clamped != rows[i].clamped)
			fail_msg("row %zu", i);
	}
}

static void
test_fits(void **state)
{
	struct store_entry entry = {
	    .has_meta = true,
	    .meta = {.directory_url = "https://ca.example/directory", .profile = ""},
	};

	assert_true(store_entry_fits(&entry, "https://ca.example/directory", ""));
	assert_true(store_entry_fits(&entry, "https://ca.example/directory", NULL));
	assert_false(store_entry_fits(&entry, "https://other.example/directory", NULL));
	assert_false(store_entry_fits(&entry, "https://ca.example/directory", "shortlived"));
	entry.meta.profile = "shortlived";
	assert_true(store_entry_fits(&entry, "https://ca.example/directory", "shortlived"));
	assert_false(store_entry_fits(&entry, "https://ca.example/directory", NULL));
	entry.meta.directory_url = NULL;
	assert_false(store_entry_fits(&entry, "https://ca.example/directory", "shortlived"));
}

static void
test_fits_without_meta(void **state)
{
	static const char staging[] = "https://acme-staging-v02.api.letsencrypt.org/directory";
	static const char production[] = "https://acme-v02.api.letsencrypt.org/directory";
	struct store_entry entry = {0};

	snprintf(entry.meta.leaf.issuer, ISSUER_MAX, "R3");
	assert_true(store_entry_fits(&entry, staging, NULL));
	assert_true(store_entry_fits(&entry, production, NULL));
	snprintf(entry.meta.leaf.issuer, ISSUER_MAX, "(STAGING) Counterfeit Cashew R10");
	assert_true(store_entry_fits(&entry, staging, NULL));
	assert_false(store_entry_fits(&entry, production, NULL));
	assert_false(store_entry_fits(&entry, "https://ca.example/acme-staging", NULL));
}

static void
test_none(void **state)
{
	struct store *s = store_none_new("nothing");

	assert_string_equal(s->name, "nothing");
	assert_string_equal(s->kind->config_name, "none");
	assert_false(s->kind->keeps);
	store_free(s);
	store_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_due),
	    cmocka_unit_test(test_fits),
	    cmocka_unit_test(test_fits_without_meta),
	    cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
