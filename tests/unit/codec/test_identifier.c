/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "codec/identifier.h"

static bool
dns(const char *text, struct identifier *ret)
{
	return identifier_dns(text, strlen(text), ret, NULL);
}

static void
add(struct identifiers *set, const char *text)
{
	struct identifier id;
	struct ip_addr ip;

	if (ip_addr_parse(text, strlen(text), &ip))
		identifier_ip(&ip, &id);
	else
		assert_true(dns(text, &id));
	identifiers_add(set, &id);
}

static void
test_good_names(void **state)
{
	static const char *const rows[] = {"a", "example.org", "*.example.org",
	    "xn--bcher-kva.example", "1.example", "a-b.c-d", "3com.com",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b"};
	struct identifier id;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(dns(rows[i], &id));
		assert_string_equal(id.value, rows[i]);
		assert_int_equal(id.kind, IDENTIFIER_DNS);
	}
	assert_true(dns("WWW.Example.ORG", &id));
	assert_string_equal(id.value, "www.example.org");
}

static void
test_bad_names(void **state)
{
	static const char *const rows[] = {"", ".", "example.org.", ".example.org", "a..b", "-a.b",
	    "a-.b", "a_b.c", "a b", "192.0.2.1", "a.1", "7", "*", "*.", "*.*.a", "a.*.b", "www*.a",
	    "a/b", "b\303\274cher.example",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", "[::1]", "::1",
	    "*.com."};
	struct identifier id = {.kind = IDENTIFIER_IP};
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(dns(rows[i], &id));
	assert_int_equal(id.kind, IDENTIFIER_IP);
	assert_false(identifier_dns("a\0b", 3, &id, &e));
	assert_string_equal(e.detail,
	    "\"a?b\" is not a valid DNS name: only letters, digits and hyphens are allowed");
	assert_int_equal(e.kind, ERR_BAD_CSR);
}

static void
test_longest_name(void **state)
{
	char name[256];
	struct identifier id;

	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	assert_true(identifier_dns(name, 253, &id, NULL));
	assert_int_equal(strlen(id.value), 253);
	assert_false(identifier_dns(name, 254, &id, NULL));
}

static void
test_wildcard(void **state)
{
	struct identifier id;

	assert_true(dns("*.example.org", &id));
	assert_true(identifier_is_wildcard(&id));
	assert_string_equal(identifier_base(&id), "example.org");
	assert_true(dns("example.org", &id));
	assert_false(identifier_is_wildcard(&id));
	assert_string_equal(identifier_base(&id), "example.org");
}

static void
test_sets(void **state)
{
	struct identifiers a = {0}, b = {0};

	add(&a, "b.example");
	add(&a, "2001:DB8::1");
	add(&a, "A.example");
	add(&a, "b.EXAMPLE");
	add(&a, "192.0.2.1");
	assert_int_equal(a.count, 4);
	CLEANUP_FREE char *key = identifiers_key(&a);
	assert_string_equal(key, "dns:a.example,dns:b.example,ip:192.0.2.1,ip:2001:db8::1");
	identifiers_copy(&b, &a);
	assert_true(identifiers_equal(&a, &b));
	add(&b, "c.example");
	assert_false(identifiers_equal(&a, &b));
	identifiers_done(&b);
	add(&b, "c.example");
	assert_false(identifiers_equal(&a, &b));
	identifiers_done(&a);
	identifiers_copy(&a, &(struct identifiers){0});
	assert_int_equal(a.count, 0);
	identifiers_done(&a);
	identifiers_done(&b);
	CLEANUP_FREE char *empty = identifiers_key(&b);
	assert_string_equal(empty, "");
}

static void
test_text_of_a_set(void **state)
{
	struct identifiers set = {0};
	char out[64], name[16];

	assert_string_equal(identifiers_text(&set, out, sizeof(out)), "");
	add(&set, "a.example");
	assert_string_equal(identifiers_text(&set, out, sizeof(out)), "a.example");
	add(&set, "b.example");
	assert_string_equal(identifiers_text(&set, out, sizeof(out)), "a.example, b.example");
	for (char c = 'c'; c <= 'z'; c++) {
		strcpy(name, "x.example");
		name[0] = c;
		add(&set, name);
	}
	assert_string_equal(identifiers_text(&set, out, sizeof(out)),
	    "a.example, b.example, c.example, d.example, ... (22 more)");
	for (size_t size = 1; size <= sizeof(out); size++)
		assert_true(strlen(identifiers_text(&set, out, size)) < size);
	identifiers_done(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good_names),
	    cmocka_unit_test(test_bad_names),
	    cmocka_unit_test(test_longest_name),
	    cmocka_unit_test(test_wildcard),
	    cmocka_unit_test(test_sets),
	    cmocka_unit_test(test_text_of_a_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
