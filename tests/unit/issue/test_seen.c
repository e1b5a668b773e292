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
	a = put(s, "a", 1);
	assert_int_equal(a->names.count, 2);
	assert_string_equal(a->names.items[1].value, "n1.a.example");
	assert_int_equal(seen_names(s), 2);
	seen_free(s);
	seen_free(NULL);
}

/* Every kind of name comes back as it was, after others were asked for too. */
static void
test_kinds(void **state)
{
	static const char *const addresses[] = {"192.0.2.7", "2001:db8::7"};
	struct seen *s = seen_new(10);
	struct seen_csr csr = {0};
	struct identifier id;
	struct ip_addr ip;

	assert_true(identifier_dns("*.example.org", 13, &id, NULL));
	identifiers_add(&csr.names, &id);
	for (int i = 0; i < 2; i++) {
		assert_true(ip_addr_parse(addresses[i], strlen(addresses[i]), &ip));
		identifier_ip(&ip, &id);
		identifiers_add(&csr.names, &id);
	}
	seen_put(s, "k", &csr);
	put(s, "z", 5);
	for (int i = 0; i < 2; i++) {
		const struct seen_csr *k = seen_get(s, "k");

		assert_true(identifiers_equal(&k->names, &csr.names));
		for (size_t j = 0; j < k->names.count; j++)
			assert_true(k->names.items[j].kind != IDENTIFIER_IP ||
			    ip_addr_equal(&k->names.items[j].ip, &csr.names.items[j].ip));
		assert_int_equal(seen_get(s, "z")->names.count, 5);
	}
	identifiers_done(&csr.names);
	seen_free(s);
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
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
