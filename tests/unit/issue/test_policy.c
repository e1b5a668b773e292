/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "issue/policy.h"

enum { MANY = 10000 };

static const char BODY[] = "-----BEGIN CERTIFICATE REQUEST-----\n";

/* ---- what a configuration would have built ---- */

static struct ip_range
range(const char *text)
{
	struct ip_range r;

	assert_true(ip_range_parse(text, &r, NULL));
	return r;
}

static struct client_identity
from(const char *text)
{
	struct client_identity who = {.has_addr = true, .text = text};

	assert_true(ip_addr_parse(text, strlen(text), &who.addr));
	return who;
}

static struct identifiers
names(const char *list)
{
	struct identifiers set = {0};
	char *copy = strdup(list);
	char *save = NULL;

	for (char *n = strtok_r(copy, ",", &save); n != NULL; n = strtok_r(NULL, ",", &save)) {
		struct identifier id;
		struct ip_addr ip;

		if (ip_addr_parse(n, strlen(n), &ip))
			identifier_ip(&ip, &id);
		else
			assert_true(identifier_dns(n, strlen(n), &id, NULL));
		identifiers_add(&set, &id);
	}
	free(copy);
	return set;
}

static struct authentication
hmac(enum digest_kind kind, const char *key)
{
	struct authentication auth = {.kind = kind};

	digest_hmac(kind, key, strlen(key), BODY, sizeof(BODY) - 1, auth.hash);
	return auth;
}

/* The number of the block that admits, from 0; -1: none. */
static int
admitted_with_key(const struct auth_block *blocks, size_t count, const struct client_identity *who,
    const struct authentication *auth, const char *list, size_t *ret_key)
{
	struct policy *p = policy_new(blocks, count);
	struct identifiers set = names(list);
	const struct auth_block *block;
	struct err e;
	int found = -1;

	bool possible = policy_possible(p, POLICY_SIGN, who, auth, &e);
	if (!possible)
		assert_int_equal(e.kind, ERR_FORBIDDEN);
	if (policy_admit(
		p, POLICY_SIGN, who, auth, BODY, sizeof(BODY) - 1, &set, &block, ret_key, &e)) {
		assert_true(possible);
		for (size_t i = 0; i < count; i++)
			if (strcmp(block->name, blocks[i].name) == 0)
				found = (int)i;
	} else {
		assert_int_equal(e.kind, ERR_FORBIDDEN);
	}
	identifiers_done(&set);
	policy_free(p);
	return found;
}

static int
admitted(const struct auth_block *blocks, size_t count, const char *who_text,
    const struct authentication *auth, const char *list)
{
	struct client_identity who = from(who_text);
	size_t key;

	return admitted_with_key(blocks, count, &who, auth, list, &key);
}

#define DOMAINS(...)                                                                               \
	.domains = (char *[]){__VA_ARGS__},                                                        \
	.domain_count = sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)
#define RANGES(...)                                                                                \
	.ranges = (struct ip_range[]){__VA_ARGS__},                                                \
	.range_count = sizeof((struct ip_range[]){__VA_ARGS__}) / sizeof(struct ip_range)
#define KEYS(...)                                                                                  \
	.keys = (struct auth_key[]){__VA_ARGS__},                                                  \
	.key_count = sizeof((struct auth_key[]){__VA_ARGS__}) / sizeof(struct auth_key)

/* ---- names ---- */

static bool
domain_admits(const char *pattern, const char *list)
{
	struct auth_block block = {.name = "b", .all = true, DOMAINS((char *)pattern)};

	return admitted(&block, 1, "192.0.2.1", NULL, list) == 0;
}

static void
test_globs(void **state)
{
	static const struct {
		const char *pattern;
		const char *name;
		bool fits;
	} rows[] = {
	    {"www.example.org", "www.example.org", true},
	    {"WWW.Example.ORG", "www.example.org", true},
	    {"example.org", "www.example.org", false},
	    {"www.example.org", "example.org", false},
	    {"*.example.org", "www.example.org", true},
	    {"*.example.org", "a.b.example.org", true},
	    {"*.example.org", "example.org", false},
	    {"*", "anything.at.all", true},
	    {"mail?.example.org", "mail1.example.org", true},
	    {"mail?.example.org", "mail.example.org", false},
	    {"mail[12].example.org", "mail2.example.org", true},
	    {"mail[!12].example.org", "mail2.example.org", false},
	    {"integration*.org", "integration-a.b.org", true},
	    {"www*", "www", true},
	    {"*.*.example.org", "a.b.example.org", true},
	    {"*.*.example.org", "b.example.org", false},
	    /* A wildcard is matched as the text it is. */
	    {"*.example.org", "*.example.org", true},
	    {"www.example.org", "*.example.org", false},
	    {"example.org", "*.example.org", false},
	    {"\\*.example.org", "*.example.org", true},
	    {"\\*.example.org", "a.example.org", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (domain_admits(rows[i].pattern, rows[i].name) != rows[i].fits)
			fail_msg("%s and %s", rows[i].pattern, rows[i].name);
}

static void
test_addresses_only_by_addresses(void **state)
{
	assert_false(domain_admits("*", "192.0.2.1"));
	assert_false(domain_admits("192.0.2.*", "192.0.2.1"));
	assert_false(domain_admits("*", "2001:db8::1"));
	assert_true(domain_admits("192.0.2.1", "192.0.2.1"));
	assert_false(domain_admits("192.0.2.1", "192.0.2.10"));
	assert_true(domain_admits("192.0.2.0/24", "192.0.2.200"));
	assert_true(domain_admits("2001:db8::/32", "2001:db8::1"));
	assert_false(domain_admits("2001:db8::/32", "192.0.2.1"));
	/* And names only by globs. */
	assert_false(domain_admits("0.0.0.0/0", "www.example.org"));
}

static void
test_every_name_counts(void **state)
{
	struct auth_block block = {
	    .name = "b", .all = true, DOMAINS("a.example", "*.b.example", "192.0.2.0/24")};

	assert_int_equal(admitted(&block, 1, "::1", NULL, "a.example,x.b.example"), 0);
	assert_int_equal(admitted(&block, 1, "::1", NULL, "a.example,192.0.2.4"), 0);
	assert_int_equal(admitted(&block, 1, "::1", NULL, "a.example,c.example"), -1);
	assert_int_equal(admitted(&block, 1, "::1", NULL, "a.example,198.51.100.1"), -1);
}

/* ---- methods ---- */

static void
test_address(void **state)
{
	struct auth_block block = {.name = "b",
	    DOMAINS("*"),
	    RANGES(range("192.0.2.0/24"), range("2001:db8::/64"), range("198.51.100.7"))};
	struct client_identity unknown = {.text = "unix"};
	size_t key;

	assert_int_equal(admitted(&block, 1, "192.0.2.9", NULL, "a.example"), 0);
	assert_int_equal(admitted(&block, 1, "198.51.100.7", NULL, "a.example"), 0);
	assert_int_equal(admitted(&block, 1, "2001:db8::9", NULL, "a.example"), 0);
	assert_int_equal(admitted(&block, 1, "::ffff:192.0.2.9", NULL, "a.example"), 0);
	assert_int_equal(admitted(&block, 1, "198.51.100.8", NULL, "a.example"), -1);
	assert_int_equal(admitted_with_key(&block, 1, &unknown, NULL, "a.example", &key), -1);
}

static void
test_all_and_none(void **state)
{
	struct auth_block all = {.name = "b", .all = true, DOMAINS("*")};
	struct auth_block no_method = {.name = "b", DOMAINS("*")};
	struct auth_block no_domain = {.name = "b", .all = true};
	struct client_identity unknown = {.text = "unix"};
	size_t key;

	assert_int_equal(admitted_with_key(&all, 1, &unknown, NULL, "a.example", &key), 0);
	assert_int_equal(key, 0);
	assert_int_equal(admitted(&no_method, 1, "::1", NULL, "a.example"), -1);
	assert_int_equal(admitted(&no_domain, 1, "::1", NULL, "a.example"), -1);
	assert_int_equal(admitted(NULL, 0, "::1", NULL, "a.example"), -1);
}

static void
test_hmac(void **state)
{
	struct auth_block block = {
	    .name = "b", .hmac = DIGEST_SHA256, DOMAINS("*"), KEYS({"old", 3}, {"new", 3})};
	struct client_identity who = from("::1");
	struct authentication right = hmac(DIGEST_SHA256, "new");
	struct authentication first = hmac(DIGEST_SHA256, "old");
	struct authentication wrong = hmac(DIGEST_SHA256, "other");
	struct authentication kind = hmac(DIGEST_SHA512, "new");
	size_t key = 9;

	assert_int_equal(admitted_with_key(&block, 1, &who, &right, "a.example", &key), 0);
	assert_int_equal(key, 2);
	assert_int_equal(admitted_with_key(&block, 1, &who, &first, "a.example", &key), 0);
	assert_int_equal(key, 1);
	assert_int_equal(admitted(&block, 1, "::1", &wrong, "a.example"), -1);
	assert_int_equal(admitted(&block, 1, "::1", &kind, "a.example"), -1);
	assert_int_equal(admitted(&block, 1, "::1", NULL, "a.example"), -1);
	right.hash[31] ^= 1;
	assert_int_equal(admitted(&block, 1, "::1", &right, "a.example"), -1);
}

static void
test_all_methods_of_a_block(void **state)
{
	struct auth_block block = {.name = "b",
	    .hmac = DIGEST_SHA384,
	    DOMAINS("*"),
	    KEYS({"k", 1}),
	    RANGES(range("192.0.2.0/24"))};
	struct authentication right = hmac(DIGEST_SHA384, "k");

	assert_int_equal(admitted(&block, 1, "192.0.2.1", &right, "a.example"), 0);
	assert_int_equal(admitted(&block, 1, "192.0.3.1", &right, "a.example"), -1);
	assert_int_equal(admitted(&block, 1, "192.0.2.1", NULL, "a.example"), -1);
}

static void
test_first_block_decides(void **state)
{
	struct auth_block blocks[] = {
	    {.name = "0", .hmac = DIGEST_SHA256, DOMAINS("*"), KEYS({"zero", 4})},
	    {.name = "1", .hmac = DIGEST_SHA256, DOMAINS("b.example"), KEYS({"one", 3})},
	    {.name = "2", RANGES(range("192.0.2.0/24")), DOMAINS("*.example")},
	    {.name = "3", .all = true, DOMAINS("a.example")},
	};
	struct authentication zero = hmac(DIGEST_SHA256, "zero");
	struct authentication one = hmac(DIGEST_SHA256, "one");
	struct authentication other = hmac(DIGEST_SHA256, "other");

	assert_int_equal(admitted(blocks, 4, "192.0.2.1", &zero, "b.example"), 0);
	assert_int_equal(admitted(blocks, 4, "192.0.2.1", &one, "b.example"), 1);
	assert_int_equal(admitted(blocks, 4, "192.0.2.1", &one, "a.example"), 2);
	assert_int_equal(admitted(blocks, 4, "192.0.3.1", &other, "a.example"), 3);
	assert_int_equal(admitted(blocks, 4, "192.0.3.1", NULL, "b.example"), -1);
	/* Names are not gathered from several blocks. */
	assert_int_equal(admitted(blocks, 4, "192.0.3.1", &one, "a.example,b.example"), -1);
}

/* ---- what is said ---- */

static void
test_sentences(void **state)
{
	struct auth_block block = {.name = "secret-block",
	    .hmac = DIGEST_SHA256,
	    DOMAINS("*.internal.example"),
	    KEYS({"secret", 6}),
	    RANGES(range("203.0.113.0/24"))};
	struct policy *p = policy_new(&block, 1);
	struct client_identity who = from("192.0.2.7");
	struct identifiers set = names("www.example.org,example.org");
	const struct auth_block *ret;
	size_t key;
	struct err e;

	who.text = "192.0.2.7 via 10.0.0.1";
	assert_false(policy_possible(p, POLICY_SIGN, &who, NULL, &e));
	assert_non_null(strstr(e.detail, "192.0.2.7"));
	assert_null(strstr(e.detail, "10.0.0.1"));
	assert_false(policy_admit(p, POLICY_SIGN, &who, NULL, BODY, 5, &set, &ret, &key, &e));
	assert_non_null(strstr(e.detail, "www.example.org"));
	assert_null(strstr(e.detail, "secret"));
	assert_null(strstr(e.detail, "internal"));
	assert_null(strstr(e.detail, "203"));
	identifiers_done(&set);
	policy_free(p);
	policy_free(NULL);
}

/* ---- many ---- */

static double
milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
test_ten_thousand_blocks(void **state)
{
	struct auth_block *blocks = calloc(MANY, sizeof(*blocks));
	struct authentication last;
	char *domains = calloc(MANY, 64);
	char **pointers = calloc(MANY, sizeof(*pointers));
	struct auth_key *keys = calloc(MANY, sizeof(*keys));
	char text[32];

	for (int i = 0; i < MANY; i++) {
		pointers[i] = domains + 64 * i;
		snprintf(pointers[i], 64, "host%d.example.org", i);
		keys[i] = (struct auth_key){pointers[i], strlen(pointers[i])};
		blocks[i] = (struct auth_block){.name = pointers[i],
		    .hmac = DIGEST_SHA256,
		    .domains = &pointers[i],
		    .domain_count = 1,
		    .keys = &keys[i],
		    .key_count = 1};
	}
	struct policy *p = policy_new(blocks, MANY);
	struct identifiers set = names("host9999.example.org");
	struct client_identity who = from("192.0.2.1");
	const struct auth_block *found;
	size_t key;

	snprintf(text, sizeof(text), "host%d.example.org", MANY - 1);
	last = hmac(DIGEST_SHA256, text);
	double before = milliseconds();
	for (int i = 0; i < 100; i++) {
		assert_true(policy_possible(p, POLICY_SIGN, &who, &last, NULL));
		assert_true(policy_admit(
		    p, POLICY_SIGN, &who, &last, BODY, sizeof(BODY) - 1, &set, &found, &key, NULL));
	}
	/* A tenth of a millisecond when built for use; sanitizers and valgrind get more. */
	assert_true((milliseconds() - before) / 100 < 50);
	assert_string_equal(found->name, text);
	identifiers_done(&set);
	policy_free(p);
	free(keys);
	free(pointers);
	free(domains);
	free(blocks);
}

/* The key a client used last is tried first, which changes nothing but the time it takes. */
static void
test_keys_of_clients(void **state)
{
	enum { COUNT = 300 };
	struct auth_block blocks[COUNT];
	struct auth_key keys[COUNT];
	char names_of[COUNT][16];
	char *domain = "*.example.org";
	struct identifiers set = names("a.example.org");
	const struct auth_block *found;
	size_t key;

	for (int i = 0; i < COUNT; i++) {
		/* The last but one is the same to HMAC as number 7: the first of them counts. */
		snprintf(names_of[i], sizeof(names_of[i]), "key %d", i == COUNT - 2 ? 7 : i);
		keys[i] =
		    (struct auth_key){names_of[i], strlen(names_of[i]) + (i == COUNT - 2 ? 3 : 0)};
		memset(names_of[i] + strlen(names_of[i]), 0, 4);
		blocks[i] = (struct auth_block){.name = i == COUNT - 2 ? "again" : names_of[i],
		    .hmac = DIGEST_SHA256,
		    .domains = &domain,
		    .domain_count = 1,
		    .keys = &keys[i],
		    .key_count = 1};
	}
	struct policy *p = policy_new(blocks, COUNT);
	for (int i = 0; i < 300; i++) {
		char text[16], addr[32];
		int client = i * 37 % 11, number = i % 50 == 0 ? 7 : client * 20;
		struct authentication auth;
		struct client_identity who;

		snprintf(text, sizeof(text), "key %d", number);
		auth = hmac(DIGEST_SHA256, text);
		snprintf(addr, sizeof(addr), "192.0.2.%d", client);
		who = from(addr);
		assert_true(policy_admit(
		    p, POLICY_SIGN, &who, &auth, BODY, sizeof(BODY) - 1, &set, &found, &key, NULL));
		assert_string_equal(found->name, text);
		auth.hash[3] ^= 1;
		assert_false(policy_admit(
		    p, POLICY_SIGN, &who, &auth, BODY, sizeof(BODY) - 1, &set, &found, &key, NULL));
	}
	identifiers_done(&set);
	policy_free(p);
}

/* The first block that admits need not be one that lets revoke; and an HMAC is a must. */
static void
test_revoke(void **state)
{
	const struct auth_key key = {(char *)"key", 3};
	const struct auth_block blocks[] = {
	    {.name = "all", .all = true, .revoke = true, DOMAINS("*")},
	    {.name = "not",
		.hmac = DIGEST_SHA256,
		.keys = (struct auth_key *)&key,
		.key_count = 1,
		DOMAINS("*.example")},
	    {.name = "may",
		.hmac = DIGEST_SHA256,
		.keys = (struct auth_key *)&key,
		.key_count = 1,
		.revoke = true,
		DOMAINS("*.example")},
	};
	struct authentication right = hmac(DIGEST_SHA256, "key"),
			      wrong = hmac(DIGEST_SHA256, "kex");
	struct client_identity who = from("192.0.2.1");
	struct identifiers ours = names("a.example,b.example"), mixed = names("a.example,a.test");
	const struct auth_block *found;
	struct policy *p = policy_new(blocks, 2);
	struct err e;
	size_t used;

	(void)state;
	assert_false(policy_revokes(p));
	assert_false(policy_possible(p, POLICY_REVOKE, &who, &right, &e));
	policy_free(p);
	p = policy_new(blocks, 3);
	assert_true(policy_revokes(p));
	assert_false(policy_possible(p, POLICY_REVOKE, &who, NULL, &e));
	assert_true(policy_possible(p, POLICY_REVOKE, &who, &right, &e));
	assert_true(policy_admit(
	    p, POLICY_REVOKE, &who, &right, BODY, sizeof(BODY) - 1, &ours, &found, &used, &e));
	assert_string_equal(found->name, "may");
	assert_int_equal(used, 1);
	assert_false(policy_admit(
	    p, POLICY_REVOKE, &who, &wrong, BODY, sizeof(BODY) - 1, &ours, &found, &used, &e));
	assert_false(policy_admit(
	    p, POLICY_REVOKE, &who, &right, BODY, sizeof(BODY) - 1, &mixed, &found, &used, &e));
	assert_int_equal(e.kind, ERR_FORBIDDEN);
	assert_non_null(strstr(e.detail, "this revocation for a.example"));
	identifiers_done(&ours);
	identifiers_done(&mixed);
	policy_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_revoke),
	    cmocka_unit_test(test_globs),
	    cmocka_unit_test(test_addresses_only_by_addresses),
	    cmocka_unit_test(test_every_name_counts),
	    cmocka_unit_test(test_address),
	    cmocka_unit_test(test_all_and_none),
	    cmocka_unit_test(test_hmac),
	    cmocka_unit_test(test_all_methods_of_a_block),
	    cmocka_unit_test(test_first_block_decides),
	    cmocka_unit_test(test_sentences),
	    cmocka_unit_test(test_ten_thousand_blocks),
	    cmocka_unit_test(test_keys_of_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
