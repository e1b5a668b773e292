/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [auth "NAME"] */
#include <stdlib.h>

#include "base/alloc.h"
#include "conf_test.h"

static struct conf *
load(const char *options)
{
	char *text = xasprintf("[auth \"a\"]\n%s\n" ACCOUNT, options);
	struct conf *c = conf_test_load(text);

	free(text);
	return c;
}

static void
expect(const char *options, enum conf_severity severity, int line, const char *part)
{
	char *text = xasprintf("[auth \"a\"]\n%s\n" ACCOUNT, options);

	conf_test_one(text, severity, line, part);
	free(text);
}

static void
test_ip(void **state)
{
	struct conf *c = load("ip = 192.0.2.0/24\nip = 2001:db8::1\nip = 192.0.2.0/255.255.255.0\n"
			      "ip = 192.0.2.1-192.0.2.9\ndomain = a");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_string_equal(c->auths[0].name, "a");
	assert_int_equal(c->auths[0].line, 1);
	assert_int_equal(c->auths[0].range_count, 4);
	assert_int_equal(c->auths[0].ranges[0].last.bytes[3], 255);
	assert_int_equal(c->auths[0].hmac, DIGEST_NONE);
	assert_false(c->auths[0].all);
	conf_free(c);
	expect("domain = a\nip = 10.1", CONF_ERROR, 3, "10.1");
	expect("domain = a\nip = 10.0.0.1/8", CONF_ERROR, 3, "10.0.0.0/8");
	expect("domain = a\nip = host.example", CONF_ERROR, 3, "ip:");
	expect("domain = a\nip =", CONF_ERROR, 3, "\"ip\" has no value");
}

static void
test_hmac(void **state)
{
	struct conf *c = load("hmac_key = n048aX0G\nhmac_type = SHA2-256\ndomain = a");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->auths[0].hmac, DIGEST_SHA256);
	assert_int_equal(c->auths[0].key_count, 1);
	assert_int_equal(c->auths[0].keys[0].len, 8);
	assert_memory_equal(c->auths[0].keys[0].bytes, "n048aX0G", 8);
	conf_free(c);
	expect("hmac_type = sha256\ndomain = a", CONF_ERROR, 2, "hmac_type without");
	expect("hmac_key = k\ndomain = a", CONF_ERROR, 2, "hmac_key without hmac_type");
	expect("hmac_key = k\nhmac_type = shaa256\ndomain = a", CONF_ERROR, 3,
	    "did you mean \"sha256\"?");
	expect("hmac_key = k\nhmac_type = md5\ndomain = a", CONF_WARNING, 3, "md5 is weak");
	expect("hmac_key = k\nhmac_type = SHA1\ndomain = a", CONF_WARNING, 3, "sha1 is weak");
}

/* One that cannot be taken must never leave the block without its restriction. */
static void
test_empty_hmac_is_no_way_in(void **state)
{
	struct conf *c = load("hmac_key =\nhmac_type = sha256\ndomain = a");

	(void)state;
	assert_true(c->failed);
	conf_free(c);
	c = load("ip = 192.0.2.1\nhmac_type =\ndomain = a");
	assert_true(c->failed);
	conf_free(c);
}

static void
test_several_keys(void **state)
{
	const char *path = conf_test_file("two.key", "two\n");
	char *text = xasprintf("hmac_type = sha256\nhmac_key = one\nhmac_key-file = %s\n"
			       "hmac_key = three\ndomain = a",
	    path);
	struct conf *c = load(text);

	(void)state;
	assert_counts(c, 0, 0, 1);
	assert_problem(c, CONF_NOTE, 5, "the original took the last");
	assert_int_equal(c->auths[0].key_count, 3);
	assert_string_equal(c->auths[0].keys[0].bytes, "one");
	assert_string_equal(c->auths[0].keys[1].bytes, "two");
	assert_int_equal(c->auths[0].keys[1].len, 3);
	assert_string_equal(c->auths[0].keys[2].bytes, "three");
	conf_free(c);
	free(text);
}

static void
key_file(
    const void *bytes, size_t len, unsigned mode, enum conf_severity severity, const char *part)
{
	char *text =
	    xasprintf("[auth \"a\"]\ndomain = a\nhmac_type = sha256\nhmac_key-file = %s\n" ACCOUNT,
		conf_test_file_of("one.key", bytes, len, mode));

	if (part != NULL)
		conf_test_one(text, severity, 4, part);
	else
		conf_free(conf_test_fine(text));
	free(text);
}

static void
test_key_file(void **state)
{
	(void)state;
	key_file("k\n", 2, 0600, CONF_ERROR, NULL);
	key_file("k\n", 2, 0640, CONF_ERROR, NULL);
	key_file("k\n", 2, 0644, CONF_WARNING, "others can read");
	key_file("", 0, 0600, CONF_ERROR, "is empty");
	key_file("\n", 1, 0600, CONF_ERROR, "is empty");
	expect("domain = a\nhmac_type = sha256\nhmac_key-file = /nowhere/k", CONF_ERROR, 4,
	    "No such file");
}

static void
test_key_file_bytes(void **state)
{
	char *text = xasprintf("domain = a\nhmac_type = sha256\nhmac_key-file = %s",
	    conf_test_file_of("bin.key", "\0a \n\r\n", 6, 0600));
	struct conf *c = load(text);

	(void)state;
	assert_int_equal(c->auths[0].keys[0].len, 4);
	assert_memory_equal(c->auths[0].keys[0].bytes, "\0a \n", 4);
	conf_free(c);
	free(text);
}

static void
test_all(void **state)
{
	struct conf *c = load("all = Yes\ndomain = a");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_true(c->auths[0].all);
	conf_free(c);
	c = load("all = no\nip = 192.0.2.1\ndomain = a");
	assert_counts(c, 0, 0, 0);
	assert_false(c->auths[0].all);
	conf_free(c);
	expect("domain = a\nall = yes\nip = 192.0.2.1", CONF_ERROR, 3, "beside another method");
	expect("domain = a\nall = yes\nhmac_type = sha256\nhmac_key = k", CONF_ERROR, 3,
	    "beside another method");
	expect("domain = a\nip = 192.0.2.1\nall = everybody", CONF_ERROR, 4, "neither yes nor no");
}

static void
test_no_method(void **state)
{
	(void)state;
	expect("domain = a", CONF_ERROR, 1, "add ip, or hmac_type with hmac_key, or all = yes");
	expect("domain = a\nall = no", CONF_ERROR, 1, "has domains but no method");
}

static void
test_no_domain(void **state)
{
	(void)state;
	expect("ip = 192.0.2.1", CONF_WARNING, 1, "it admits nobody");
	expect("", CONF_WARNING, 1, "it admits nobody");
}

static void
test_no_auth_at_all(void **state)
{
	(void)state;
	conf_test_one(ACCOUNT, CONF_WARNING, 0, "there is no [auth \"NAME\"] block");
}

static void
test_domains(void **state)
{
	struct conf *c = load("all = yes\ndomain = *.Example.ORG\ndomain = mail?.example.org\n"
			      "domain = [a-c].example.org\ndomain = 192.0.2.0/24\ndomain = ::1\n"
			      "domain = \\*.example.org\ndomain = *");

	(void)state;
	assert_counts(c, 0, 0, 1);
	assert_problem(c, CONF_NOTE, 3, "the original minded the case");
	assert_int_equal(c->auths[0].domain_count, 7);
	assert_string_equal(c->auths[0].domains[0], "*.example.org");
	assert_string_equal(c->auths[0].domains[3], "192.0.2.0/24");
	conf_free(c);
}

static void
test_domains_that_never_match(void **state)
{
	static const struct {
		const char *domain;
		const char *why;
	} rows[] = {
	    {"https://example.org/", "URL"},
	    {"example.org.", "dot at the end"},
	    {".example.org", "empty labels"},
	    {"a..example.org", "empty labels"},
	    {"a.example, b.example", "option of its own"},
	    {"a.example b.example", "option of its own"},
	    {"example.org:443", "port"},
	    {"under_score.example.org", "hyphens"},
	    {"b\xc3\xbc"
	     "cher.example",
		"xn--"},
	    {"192.0.2.1/24", "192.0.2.0/24"},
	    {"192.0.2", "192.0.2.0"},
	    {"example.org/path", "can never match"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = xasprintf("all = yes\ndomain = %s", rows[i].domain);

		expect(text, CONF_WARNING, 3, rows[i].why);
		free(text);
	}
}

static void
test_blocks(void **state)
{
	struct conf *c =
	    conf_test_fine("[auth \"a\"]\nall = yes\ndomain = a\nverification = two\n"
			   "storage = disk\nprofile = shortlived\nrevoke = no\n" ACCOUNT
			   "[verification \"one\"]\ntype = http01\nlistener = 127.0.0.1:1\n"
			   "[verification \"two\"]\ntype = http01\nlistener =\n"
			   "[storage \"disk\"]\ntype = file\ndirectory = /s\n");

	(void)state;
	assert_int_equal(c->auths[0].verification, 1);
	assert_int_equal(c->auths[0].store, 0);
	assert_string_equal(c->auths[0].profile, "shortlived");
	assert_false(c->auths[0].revoke);
	conf_free(c);
	c = conf_test_fine(ACCOUNT AUTH);
	assert_null(c->auths[0].profile);
	conf_free(c);
	expect("all = yes\ndomain = a\nverification = htpp", CONF_ERROR, 4,
	    "there is no [verification \"htpp\"]; did you mean \"http\"?");
	expect("all = yes\ndomain = a\nstorage = nonne", CONF_ERROR, 4,
	    "there is no [storage \"nonne\"]; did you mean \"none\"?");
}

/* "none" can be named without being configured. */
static void
test_none_is_always_there(void **state)
{
	struct conf *c =
	    conf_test_fine("[auth \"a\"]\nall = yes\ndomain = a\nstorage = none\n" ACCOUNT
			   "[storage \"disk\"]\ntype = file\ndirectory = /s\n");

	(void)state;
	assert_int_equal(c->storages[c->auths[0].store].type, STORE_NONE);
	conf_free(c);
}

static void
test_revoke_wants_an_hmac(void **state)
{
	(void)state;
	expect("all = yes\ndomain = a\nrevoke = yes", CONF_ERROR, 4, "wants an HMAC");
	expect("ip = 192.0.2.1\ndomain = a\nrevoke = yes", CONF_ERROR, 4, "hmac_key");
}

static void
test_order_of_blocks(void **state)
{
	struct conf *c = conf_test_fine(
	    "[auth \"z\"]\nall = yes\ndomain = a\n[auth \"a\"]\nall = yes\ndomain = a\n" ACCOUNT
		AUTH);

	(void)state;
	assert_int_equal(c->auth_count, 3);
	assert_string_equal(c->auths[0].name, "z");
	assert_string_equal(c->auths[1].name, "a");
	assert_int_equal(c->auths[1].line, 4);
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ip),
	    cmocka_unit_test(test_hmac),
	    cmocka_unit_test(test_empty_hmac_is_no_way_in),
	    cmocka_unit_test(test_several_keys),
	    cmocka_unit_test(test_key_file),
	    cmocka_unit_test(test_key_file_bytes),
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_no_method),
	    cmocka_unit_test(test_no_domain),
	    cmocka_unit_test(test_no_auth_at_all),
	    cmocka_unit_test(test_domains),
	    cmocka_unit_test(test_domains_that_never_match),
	    cmocka_unit_test(test_blocks),
	    cmocka_unit_test(test_none_is_always_there),
	    cmocka_unit_test(test_revoke_wants_an_hmac),
	    cmocka_unit_test(test_order_of_blocks),
	};

	return cmocka_run_group_tests(tests, conf_test_setup, conf_test_teardown);
}
