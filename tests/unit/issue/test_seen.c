/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "issue/seen.h"

static const struct seen_csr *
put(struct seen *s, const char *key, size_t names)
{
	struct seen_csr csr = {0};
	struct identifier id;

	for (size_t i = 0; i < names; i++) {
		char text[64];
		int n = snprintf(text, sizeof(text), "n%zu.%s.example", i, key);
		assert_true(identifier_dns(text, (size_t)n, &id, NULL));
		identifiers_add(&csr.names, &id);
	}
	csr.spki_sha256[0] = (uint8_t)key[0];
	seen_put(s, key, &csr);
	identifiers_done(&csr.names);
	return seen_get(s, key);
}

static void
test_remembers(void **state)
{
	struct seen *s = seen_new(10);

	assert_null(seen_get(s, "a"));
	const struct seen_csr *a = put(s, "a", 2);
	assert_int_equal(a->names.count, 2);
	assert_string_equal(a->names.items[0].value, "n0.a.example");
	assert_int_equal(a->spki_sha256[0], 'a');
	/* What is there stays as it is. */
	assert_ptr_equal(put(s, "a", 2), a);
	assert_int_equal(seen_names(s), 2);
	seen_free(s);
	seen_free(NULL);
}

static void
test_bounded(void **state)
{
	struct seen *s = seen_new(10);

	put(s, "a", 4);
	put(s, "b", 4);
	assert_non_null(seen_get(s, "a"));
	put(s, "c", 4); /* b was not asked for longest */
	assert_non_null(seen_get(s, "a"));
	assert_null(seen_get(s, "b"));
	assert_non_null(seen_get(s, "c"));
	assert_null(put(s, "d", 11));
	assert_int_equal(seen_names(s), 8);
	put(s, "e", 10);
	assert_int_equal(seen_names(s), 10);
	assert_null(seen_get(s, "a"));
	seen_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_remembers),
	    cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
