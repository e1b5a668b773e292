/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "codec/acme_json.h"
#include "codec/json.h"

#define DIR_URLS                                                                                   \
	"\"newNonce\":\"https://ca/n\",\"newAccount\":\"https://ca/a\",\"newOrder\":\"https://ca/" \
	"o\""

static void
test_directory(void **state)
{
	static const char body[] =
	    "{" DIR_URLS
	    ",\"revokeCert\":\"https://ca/r\",\"keyChange\":\"https://ca/k\",\"renewalInfo\":null,"
	    "\"random\":\"https://community.example/t/\",\"meta\":{\"termsOfService\":\"https://ca/"
	    "tos.pdf\","
	    "\"externalAccountRequired\":true,\"website\":null,"
	    "\"profiles\":{\"classic\":\"the usual\",\"shortlived\":null}}}";
	struct acme_directory d;

	assert_true(acme_directory_parse(body, strlen(body), true, &d, NULL));
	assert_string_equal(d.new_nonce, "https://ca/n");
	assert_string_equal(d.new_account, "https://ca/a");
	assert_string_equal(d.new_order, "https://ca/o");
	assert_string_equal(d.revoke_cert, "https://ca/r");
	assert_string_equal(d.key_change, "https://ca/k");
	assert_null(d.renewal_info);
	assert_string_equal(d.terms_of_service, "https://ca/tos.pdf");
	assert_true(d.external_account_required);
	assert_int_equal(d.profile_count, 2);
	assert_string_equal(d.profiles[0], "classic");
	assert_string_equal(d.profiles[1], "shortlived");
	acme_directory_done(&d);
}

static void
test_directory_meta_may_be_anything(void **state)
{
	static const char *const metas[] = {"", ",\"meta\":null", ",\"meta\":5", ",\"meta\":{}",
	    ",\"meta\":{\"termsOfService\":null,\"externalAccountRequired\":null,\"profiles\":"
	    "null}",
	    ",\"meta\":{\"termsOfService\":5,\"externalAccountRequired\":\"yes\",\"profiles\":[1]"
	    "}"};
	struct acme_directory d;
	char body[500];

	for (size_t i = 0; i < sizeof(metas) / sizeof(metas[0]); i++) {
		strcpy(body, "{" DIR_URLS);
		strcat(strcat(body, metas[i]), "}");
		assert_true(acme_directory_parse(body, strlen(body), true, &d, NULL));
		assert_null(d.terms_of_service);
		assert_false(d.external_account_required);
		assert_int_equal(d.profile_count, 0);
		acme_directory_done(&d);
	}
}

static void
test_directory_refused(void **state)
{
	static const struct {
		const char *body, *says;
	} rows[] = {
	    {"", "not valid JSON"},
	    {"<html>", "not valid JSON"},
	    {"[]", "not a JSON object"},
	    {"{}", "newNonce is missing"},
	    {"{" DIR_URLS ",\"keyChange\":5}", "keyChange is not a string"},
	    {"{" DIR_URLS ",\"keyChange\":\"http://ca/k\"}", "keyChange is an http URL"},
	    {"{" DIR_URLS ",\"keyChange\":\"ftp://ca/k\"}", "begins neither with"},
	    {"{\"newNonce\":\"https://ca/n\",\"newAccount\":null}", "newAccount is missing"},
	};
	struct acme_directory d;
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(
		    acme_directory_parse(rows[i].body, strlen(rows[i].body), true, &d, &e));
		assert_int_equal(e.kind, ERR_UPSTREAM);
		if (strstr(e.detail, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].body, e.detail);
	}
	/* A directory over http gives no https. */
	assert_false(
	    acme_directory_parse("{" DIR_URLS "}", strlen("{" DIR_URLS "}"), false, &d, &e));
}

static void
test_many_profiles(void **state)
{
	CLEANUP_BUF struct buf b;
	struct acme_directory d;

	buf_init(&b, 10000);
	buf_adds(&b, "{" DIR_URLS ",\"meta\":{\"profiles\":{\"p\":\"\"");
	for (int i = 0; i < 100; i++)
		buf_addf(&b, ",\"p%d\":\"\"", i);
	buf_adds(&b, "}}}");
	assert_true(acme_directory_parse(b.data, b.len, true, &d, NULL));
	assert_int_equal(d.profile_count, ACME_PROFILES_MAX);
	acme_directory_done(&d);
}

static bool
order(const char *body, struct acme_order_object *ret, struct err *e)
{
	return acme_order_parse(body, strlen(body), true, ret, e);
}

static void
test_order(void **state)
{
	struct acme_order_object o;

	assert_true(order("{\"status\":\"pending\",\"expires\":\"2026-01-05T14:09:07.99Z\","
			  "\"identifiers\":[{\"type\":\"dns\",\"value\":\"www.example.org\"}],"
			  "\"authorizations\":[\"https://ca/z/1\",\"https://ca/z/2\"],"
			  "\"finalize\":\"https://ca/f\",\"certificate\":null,\"error\":null}",
	    &o, NULL));
	assert_int_equal(o.status, ACME_STATUS_PENDING);
	assert_int_equal(o.expires, 1767622147);
	assert_string_equal(o.finalize, "https://ca/f");
	assert_null(o.certificate);
	assert_int_equal(o.authorization_count, 2);
	assert_string_equal(o.authorizations[1], "https://ca/z/2");
	assert_null(o.error);
	acme_order_object_done(&o);

	assert_true(
	    order("{\"status\":\"invalid\",\"expires\":5,\"authorizations\":[],"
		  "\"error\":{\"type\":\"urn:ietf:params:acme:error:badCSR\",\"detail\":\"no\"}}",
		&o, NULL));
	assert_int_equal(o.status, ACME_STATUS_INVALID);
	assert_int_equal(o.expires, 0);
	assert_null(o.finalize);
	assert_non_null(o.error);
	assert_int_equal(o.error->type, PROBLEM_BAD_CSR);
	acme_order_object_done(&o);

	assert_true(order("{\"status\":\"valid\",\"certificate\":\"https://ca/c\"}", &o, NULL));
	assert_string_equal(o.certificate, "https://ca/c");
	assert_int_equal(o.authorization_count, 0);
	acme_order_object_done(&o);

	assert_true(order("{\"status\":\"strange\"}", &o, NULL));
	assert_int_equal(o.status, ACME_STATUS_UNKNOWN);
	acme_order_object_done(&o);
}

static void
test_order_refused(void **state)
{
	static const struct {
		const char *body, *says;
	} rows[] = {
	    {"null", "not valid JSON"},
	    {"{}", "status is missing"},
	    {"{\"status\":\"pending\",\"authorizations\":[]}", "finalize is missing"},
	    {"{\"status\":\"ready\",\"finalize\":\"http://ca/f\"}", "finalize is an http URL"},
	    {"{\"status\":\"valid\",\"authorizations\":[5]}", "not a string"},
	    {"{\"status\":\"valid\",\"authorizations\":[\"https://ca/1\",\"x\"]}",
		"not a usable URL"},
	};
	CLEANUP_BUF struct buf b;
	struct acme_order_object o;
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(order(rows[i].body, &o, &e));
		assert_int_equal(e.kind, ERR_UPSTREAM);
		if (strstr(e.detail, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].body, e.detail);
	}
	buf_init(&b, 10000);
	buf_adds(&b, "{\"status\":\"valid\",\"authorizations\":[\"https://ca/1\"");
	for (int i = 0; i < IDENTIFIERS_MAX; i++)
		buf_adds(&b, ",\"https://ca/1\"");
	buf_adds(&b, "]}");
	assert_false(acme_order_parse(b.data, b.len, true, &o, &e));
}

static bool
authorization(const char *body, struct acme_authorization_object *ret, struct err *e)
{
	return acme_authorization_parse(body, strlen(body), true, ret, e);
}

static void
test_authorization(void **state)
{
	struct acme_authorization_object a;

	assert_true(authorization(
	    "{\"status\":\"pending\",\"expires\":\"2026-01-05T14:09:07Z\",\"wildcard\":true,"
	    "\"identifier\":{\"type\":\"dns\",\"value\":\"Example.ORG\"},\"challenges\":["
	    "{\"type\":\"dns-persist-01\",\"url\":\"https://ca/c/0\",\"status\":\"pending\"},"
	    "{\"type\":\"http-01\",\"url\":\"https://ca/c/"
	    "1\",\"status\":\"pending\",\"token\":\"aB-_9\"},"
	    "{\"type\":\"dns-01\",\"url\":\"https://ca/c/"
	    "2\",\"status\":\"invalid\",\"token\":\"t\","
	    "\"error\":{\"type\":\"urn:ietf:params:acme:error:dns\"}},"
	    "{\"type\":\"x-01\",\"url\":\"https://ca/c/3\",\"token\":\"../etc\"},"
	    "{\"type\":\"x-01\",\"token\":\"no-url\"},{\"url\":\"https://ca/c/"
	    "4\",\"token\":\"no-type\"},"
	    "{\"type\":\"a-type-far-too-long-for-anything-known\",\"url\":\"https://ca/c/"
	    "5\",\"token\":\"t\"},"
	    "null,5,\"x\"]}",
	    &a, NULL));
	assert_int_equal(a.status, ACME_STATUS_PENDING);
	assert_int_equal(a.expires, 1767622147);
	assert_true(a.wildcard);
	assert_string_equal(a.identifier.value, "example.org");
	assert_int_equal(a.challenge_count, 2);
	assert_string_equal(a.challenges[0].type, "http-01");
	assert_string_equal(a.challenges[0].url, "https://ca/c/1");
	assert_string_equal(a.challenges[0].token, "aB-_9");
	assert_null(a.challenges[0].error);
	assert_int_equal(a.challenges[1].status, ACME_STATUS_INVALID);
	assert_non_null(a.challenges[1].error);
	assert_int_equal(a.challenges[1].error->type, PROBLEM_DNS);
	acme_authorization_object_done(&a);
}

static void
test_authorization_identifiers(void **state)
{
	struct acme_authorization_object a;

	assert_true(authorization("{\"status\":\"valid\",\"identifier\":{\"type\":\"ip\",\"value\":"
				  "\"2001:DB8::1\"},\"challenges\":null}",
	    &a, NULL));
	assert_int_equal(a.identifier.kind, IDENTIFIER_IP);
	assert_string_equal(a.identifier.value, "2001:db8::1");
	assert_int_equal(a.challenge_count, 0);
	assert_false(a.wildcard);
	acme_authorization_object_done(&a);

	assert_true(authorization(
	    "{\"status\":\"valid\",\"identifier\":{\"type\":\"dns\",\"value\":\"*.a.example\"}}",
	    &a, NULL));
	assert_true(a.wildcard);
	assert_string_equal(a.identifier.value, "a.example");
	acme_authorization_object_done(&a);
}

static void
test_authorization_refused(void **state)
{
	static const struct {
		const char *body, *says;
	} rows[] = {
	    {"{\"identifier\":{\"type\":\"dns\",\"value\":\"a\"}}", "status is missing"},
	    {"{\"status\":\"valid\"}", "lacks type or value"},
	    {"{\"status\":\"valid\",\"identifier\":{\"type\":\"dns\"}}", "lacks type or value"},
	    {"{\"status\":\"valid\",\"identifier\":{\"type\":\"ip\",\"value\":\"a\"}}",
		"\"a\" is neither"},
	    {"{\"status\":\"valid\",\"identifier\":{\"type\":\"dns\",\"value\":\"a b\"}}",
		"\"a b\" is neither"},
	    {"{\"status\":\"valid\",\"identifier\":{\"type\":\"mail\",\"value\":\"a\"}}",
		"is neither"},
	    {"{\"status\":\"valid\",\"identifier\":{\"type\":\"dns\",\"value\":\"a\"},"
	     "\"challenges\":"
	     "[{\"type\":\"http-01\",\"token\":\"t\",\"url\":\"https://ca/1\"},"
	     "{\"type\":\"http-01\",\"token\":\"t\",\"url\":\"http://ca/\"}]}",
		"url is an http URL"},
	};
	struct acme_authorization_object a;
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(authorization(rows[i].body, &a, &e));
		assert_int_equal(e.kind, ERR_UPSTREAM);
		if (strstr(e.detail, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].body, e.detail);
	}
}

static void
test_challenge(void **state)
{
	static const char good[] =
	    "{\"type\":\"http-01\",\"url\":\"https://ca/c\",\"status\":\"processing\","
	    "\"token\":\"t\",\"error\":{\"detail\":\"so far\"}}";
	struct acme_challenge_object c;

	assert_true(acme_challenge_parse(good, strlen(good), true, &c, NULL));
	assert_int_equal(c.status, ACME_STATUS_PROCESSING);
	assert_non_null(c.error);
	assert_string_equal(c.error->detail, "so far");
	acme_challenge_object_done(&c);
	assert_true(acme_challenge_parse("{}", 2, true, &c, NULL));
	assert_null(c.url);
	assert_null(c.token);
	acme_challenge_object_done(&c);
	assert_false(acme_challenge_parse("", 0, true, &c, NULL));
	assert_false(acme_challenge_parse("{\"url\":5}", 9, true, &c, NULL));
}

static void
test_account(void **state)
{
	static const char body[] =
	    "{\"status\":\"deactivated\",\"contact\":null,\"orders\":\"https://ca/o\",\"x\":1}";
	struct acme_account_object a;
	struct err e;

	assert_true(acme_account_parse(body, strlen(body), &a, NULL));
	assert_int_equal(a.status, ACME_STATUS_DEACTIVATED);
	assert_string_equal(a.orders, "https://ca/o");
	assert_non_null(json_member(a.body, "x"));
	acme_account_object_done(&a);
	assert_true(acme_account_parse("{}", 2, &a, NULL));
	assert_int_equal(a.status, ACME_STATUS_UNKNOWN);
	assert_null(a.orders);
	acme_account_object_done(&a);
	assert_false(acme_account_parse("[]", 2, &a, &e));
	assert_int_equal(e.kind, ERR_UPSTREAM);
}

static void
test_status_names(void **state)
{
	assert_string_equal(acme_status_name(ACME_STATUS_UNKNOWN), "unknown");
	assert_string_equal(acme_status_name(ACME_STATUS_REVOKED), "revoked");
	assert_string_equal(acme_status_name((enum acme_status)99), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_directory),
	    cmocka_unit_test(test_directory_meta_may_be_anything),
	    cmocka_unit_test(test_directory_refused),
	    cmocka_unit_test(test_many_profiles),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_order_refused),
	    cmocka_unit_test(test_authorization),
	    cmocka_unit_test(test_authorization_identifiers),
	    cmocka_unit_test(test_authorization_refused),
	    cmocka_unit_test(test_challenge),
	    cmocka_unit_test(test_account),
	    cmocka_unit_test(test_status_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
