/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [account] */
#include <stdlib.h>

#include "base/alloc.h"
#include "conf_test.h"

#define STAGING "https://acme-staging-v02.api.letsencrypt.org/directory"

static struct conf *
load(const char *options)
{
	char *text = xasprintf("[account]\ndir = /d\n%s\n" AUTH, options);
	struct conf *c = conf_test_load(text);

	free(text);
	return c;
}

static void
expect(const char *options, enum conf_severity severity, const char *part)
{
	char *text = xasprintf("[account]\ndir = /d\n%s\n" AUTH, options);

	conf_test_one(text, severity, 3, part);
	free(text);
}

static void
test_defaults(void **state)
{
	struct conf *c = load("");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_string_equal(c->ca.directory_url, STAGING);
	assert_string_equal(c->ca.dir, "/d");
	assert_false(c->ca.terms.accept);
	assert_int_equal(c->ca.terms.url_count, 0);
	assert_int_equal(c->ca.contact_count, 0);
	assert_int_equal(c->ca.key_type, KEY_EC256);
	assert_null(c->ca.eab_kid);
	assert_null(c->ca.profile);
	assert_null(c->ca_file);
	assert_true(c->ca.requests_per_second > 14.99 && c->ca.requests_per_second < 15.01);
	assert_int_equal(c->ca.requests_burst, 40);
	conf_free(c);
}

static void
test_dir_is_required(void **state)
{
	(void)state;
	conf_test_one("[account]\nkey-type = ec256\n" AUTH, CONF_ERROR, 1, "dir is missing");
	conf_test_one(AUTH, CONF_ERROR, 0, "dir is missing");
	conf_test_one("[account]\ndir =\n" AUTH, CONF_ERROR, 2, "\"dir\" has no value");
}

static void
test_acme_server(void **state)
{
	struct conf *c = load("acme-server = http://127.0.0.1:14000/dir");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_string_equal(c->ca.directory_url, "http://127.0.0.1:14000/dir");
	conf_free(c);
	expect("acme-server = http://ca.example.org/dir", CONF_ERROR, "https://");
	expect("acme-server = ftp://ca.example.org/dir", CONF_ERROR, "acme-server");
	expect("acme-server = ca.example.org", CONF_ERROR, "acme-server");
	expect("acme-server = https://acme-v01.api.letsencrypt.org/directory", CONF_WARNING,
	    "use https://acme-v02.api.letsencrypt.org/directory");
	expect("acme-server = https://acme-staging.api.letsencrypt.org/directory", CONF_WARNING,
	    "use " STAGING);
}

static void
test_loopback_needs_no_brake(void **state)
{
	struct conf *c = load("acme-server = https://localhost:14000/dir");

	(void)state;
	assert_true(c->ca.requests_per_second <= 0);
	conf_free(c);
	c = load("ca-requests = 5\nacme-server = https://localhost:14000/dir");
	assert_true(c->ca.requests_per_second > 4.99 && c->ca.requests_per_second < 5.01);
	conf_free(c);
}

static void
test_ca_requests(void **state)
{
	struct conf *c = load("ca-requests = 2.5");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_true(c->ca.requests_per_second > 2.49 && c->ca.requests_per_second < 2.51);
	assert_int_equal(c->ca.requests_burst, 6);
	conf_free(c);
	c = load("ca-requests = 3  100");
	assert_int_equal(c->ca.requests_burst, 100);
	conf_free(c);
	c = load("ca-requests = 0.1");
	assert_int_equal(c->ca.requests_burst, 1);
	conf_free(c);
	c = load("ca-requests = 0");
	assert_counts(c, 0, 0, 0);
	assert_true(c->ca.requests_per_second <= 0);
	conf_free(c);
	expect("ca-requests = fast", CONF_ERROR, "ca-requests");
	expect("ca-requests = -1", CONF_ERROR, "ca-requests");
	expect("ca-requests = nan", CONF_ERROR, "ca-requests");
	expect("ca-requests = 1e9", CONF_ERROR, "ca-requests");
	expect("ca-requests = 5 0", CONF_ERROR, "ca-requests");
	expect("ca-requests = 5x", CONF_ERROR, "ca-requests");
	expect("ca-requests = 5 6 7", CONF_ERROR, "ca-requests");
}

static const struct terms_row {
	const char *options;
	bool accept;
	size_t urls;
	size_t notes;
} terms_rows[] = {
    {"accept-terms-of-service = yes", true, 0, 0},
    {"accept-terms-of-service = true", true, 0, 0},
    {"accept-terms-of-service = no", false, 0, 0},
    {"accept-terms-of-service = false", false, 0, 0},
    {"accept-terms-of-service =", false, 0, 0},
    {"accept-terms-of-service = Yes", true, 0, 1},
    {"accept-terms-of-service = yes # or true", true, 0, 1},
    {"accept-terms-of-service = NO # or false", false, 0, 0},
    {"accept-terms-of-service = https://ca.example/terms", false, 1, 0},
    {"accept-terms-of-service = https://ca.example/1 old\n"
     "accept-terms-of-service = https://ca.example/2",
	false, 2, 0},
};

static void
test_terms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(terms_rows) / sizeof(terms_rows[0]); i++) {
		struct conf *c = load(terms_rows[i].options);

		assert_counts(c, 0, 0, terms_rows[i].notes);
		assert_int_equal(c->ca.terms.accept, terms_rows[i].accept);
		assert_int_equal(c->ca.terms.url_count, terms_rows[i].urls);
		conf_free(c);
	}
	expect("accept-terms-of-service = maybe", CONF_ERROR, "neither yes nor no nor a URL");
	expect("accept-terms-of-service = no\naccept-terms-of-service = yes", CONF_ERROR, "both");
}

static void
test_terms_urls_are_first_words(void **state)
{
	struct conf *c = load("accept-terms-of-service = https://ca.example/1 # old\n");

	(void)state;
	assert_string_equal(c->ca.terms.urls[0], "https://ca.example/1");
	conf_free(c);
}

static void
test_contact(void **state)
{
	struct conf *c = load("contact = mailto:a@example.org\ncontact = MAILTO:b@example.org");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->ca.contact_count, 2);
	assert_string_equal(c->ca.contacts[0], "mailto:a@example.org");
	conf_free(c);
	expect("contact = a@example.org", CONF_ERROR, "mailto:");
	expect("contact = tel:+4912345", CONF_ERROR, "mailto:");
	expect("contact = mailto:a", CONF_ERROR, "mailto:");
	expect("contact = mailto:@example.org", CONF_ERROR, "mailto:");
	expect("contact = mailto:a@example.org,b@example.org", CONF_ERROR, "mailto:");
	expect("contact = mailto:a@example.org?subject=x", CONF_ERROR, "mailto:");
}

static void
test_key_type(void **state)
{
	static const char *const names[] = {"ec256", "ec384", "rsa2048", "rsa3072", "RSA4096"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *text = xasprintf("key-type = %s", names[i]);
		struct conf *c = load(text);

		assert_counts(c, 0, 0, 0);
		assert_int_equal(c->ca.key_type, i);
		conf_free(c);
		free(text);
	}
	expect("key-type = rsa1024", CONF_ERROR, "none of ec256");
}

static void
test_ca_file(void **state)
{
	char *text = xasprintf("ca-file = %s", conf_test_file("ca.pem", "x"));
	struct conf *c = load(text);

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_non_null(c->ca_file);
	conf_free(c);
	free(text);
	expect("ca-file = /nowhere/ca.pem", CONF_ERROR, "No such file");
}

static void
test_external_binding(void **state)
{
	struct conf *c = load("eab-kid = kid-1\neab-hmac-key = AQID_w==");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_string_equal(c->ca.eab_kid, "kid-1");
	assert_int_equal(c->ca.eab_key_len, 4);
	assert_memory_equal(c->ca.eab_key, "\x01\x02\x03\xff", 4);
	conf_free(c);
	expect("eab-kid = kid-1", CONF_ERROR, "both or neither");
	expect("eab-hmac-key = AQID", CONF_ERROR, "both or neither");
	expect("eab-hmac-key = AQ+D\neab-kid = k", CONF_ERROR, "not base64url");
	expect("eab-hmac-key = ==\neab-kid = k", CONF_ERROR, "not base64url");
}

static void
test_profile(void **state)
{
	struct conf *c = load("profile = shortlived");

	(void)state;
	assert_string_equal(c->ca.profile, "shortlived");
	conf_free(c);
	expect("profile =", CONF_ERROR, "\"profile\" has no value");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_dir_is_required),
	    cmocka_unit_test(test_acme_server),
	    cmocka_unit_test(test_loopback_needs_no_brake),
	    cmocka_unit_test(test_ca_requests),
	    cmocka_unit_test(test_terms),
	    cmocka_unit_test(test_terms_urls_are_first_words),
	    cmocka_unit_test(test_contact),
	    cmocka_unit_test(test_key_type),
	    cmocka_unit_test(test_ca_file),
	    cmocka_unit_test(test_external_binding),
	    cmocka_unit_test(test_profile),
	};

	return cmocka_run_group_tests(tests, conf_test_setup, conf_test_teardown);
}
