/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UPDATE and TSIG against what nsupdate sent and named answered (tests/vectors/dns). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "dns/message.h"
#include "vectors.h"

static const char ZONE[] = "example.org";
static const char NAME[] = "_acme-challenge.www.example.org";
static const char VALUE[] = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";

static struct capture captures[CAPTURES_MAX];
static size_t count;

static int
set_up(void **state)
{
	count = captures_load(captures);
	return 0;
}

/* Time signed of a TSIG record: the six octets behind the algorithm's name. */
static int64_t
time_of(const uint8_t *wire, size_t len)
{
	struct dns_message *m = dns_message_parse(wire, len, NULL);
	int64_t t = 0;

	assert_non_null(m);
	if (m->tsig != NULL)
		for (size_t i = 0; i < 6; i++)
			t = t << 8 | ldns_rdf_data(ldns_rr_rdf(m->tsig, 1))[i];
	dns_message_free(m);
	return t;
}

static int64_t
signed_at(const struct capture *c)
{
	return time_of(c->request, c->request_len);
}

/* The request of ours that should be the captured one. */
static struct dns_request *
request_of(const struct capture *c)
{
	bool add = strncmp(c->name, "delete", 6) != 0;
	const struct tsig_key *key = c->key.secret_len > 0 ? &c->key : NULL;

	next_id = (uint16_t)(c->request[0] << 8 | c->request[1]);
	return dns_request_update(ZONE, NAME, VALUE, add, 60, key, signed_at(c));
}

static void
test_requests_are_those_of_nsupdate(void **state)
{
	for (size_t i = 0; i < count; i++) {
		const struct capture *c = &captures[i];
		if (strcmp(c->name, "notauth") == 0 || strcmp(c->name, "refused") == 0)
			continue;
		struct dns_request *r = request_of(c);
		assert_int_equal(r->wire.len, c->request_len);
		assert_memory_equal(r->wire.data, c->request, c->request_len);
		dns_request_free(r);
	}
}

static enum dns_verdict
judge(const struct dns_request *r, const uint8_t *wire, size_t len, int64_t now,
    unsigned *ret_rcode, struct err *e)
{
	struct dns_message *m = NULL;

	err_clear(e);
	enum dns_verdict v = dns_request_judge(r, wire, len, now, &m, e);
	if (v == DNS_ANSWERED)
		*ret_rcode = m->rcode;
	else
		assert_null(m);
	dns_message_free(m);
	return v;
}

static void
test_answers_of_named_verify(void **state)
{
	for (size_t i = 0; i < count; i++) {
		const struct capture *c = &captures[i];
		unsigned rcode = 99;
		struct err e;
		if (strncmp(c->name, "add", 3) != 0 && strncmp(c->name, "delete", 6) != 0)
			continue;
		struct dns_request *r = request_of(c);
		assert_int_equal(
		    judge(r, c->answer, c->answer_len, signed_at(c), &rcode, &e), DNS_ANSWERED);
		assert_int_equal(rcode, r->key == NULL ? LDNS_RCODE_REFUSED : LDNS_RCODE_NOERROR);
		dns_request_free(r);
	}
}

static void
expect(const char *name, enum dns_verdict verdict, const char *text)
{
	const struct capture *c = capture_find(captures, count, name);
	struct dns_request *r = request_of(c);
	unsigned rcode;
	struct err e;

	assert_int_equal(judge(r, c->answer, c->answer_len, signed_at(c), &rcode, &e), verdict);
	assert_int_equal(e.kind, ERR_CONFIG);
	if (strstr(e.detail, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, e.detail);
	dns_request_free(r);
}

static void
test_errors_of_named(void **state)
{
	expect("badsig", DNS_DENIED, "BADSIG");
	expect("badkey", DNS_DENIED, "BADKEY");
	expect("badtime", DNS_FAILED, "BADTIME");
	expect("badtime", DNS_FAILED, "+1002 s from ours");
}

/* Any octet of a signed answer that changes takes the trust away. */
static void
test_every_octet_is_protected(void **state)
{
	const struct capture *c = capture_find(captures, count, "add-sha256");
	struct dns_request *r = request_of(c);

	for (size_t i = 0; i < c->answer_len; i++) {
		uint8_t changed[512];
		unsigned rcode;
		struct err e;
		memcpy(changed, c->answer, c->answer_len);
		changed[i] ^= 0x01;
		enum dns_verdict v = judge(r, changed, c->answer_len, signed_at(c), &rcode, &e);
		assert_true(v == DNS_STRAY || v == DNS_UNTRUSTED || v == DNS_DENIED);
		assert_true(e.kind != ERR_NONE);
	}
	dns_request_free(r);
}

static void
test_time_is_checked_against_fudge(void **state)
{
	static const struct {
		int64_t offset;
		enum dns_verdict verdict;
	} rows[] = {{0, DNS_ANSWERED}, {300, DNS_ANSWERED}, {-300, DNS_ANSWERED},
	    {301, DNS_UNTRUSTED}, {-301, DNS_UNTRUSTED}, {1000000, DNS_UNTRUSTED}};
	const struct capture *c = capture_find(captures, count, "add-sha512");
	struct dns_request *r = request_of(c);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned rcode;
		struct err e;
		assert_int_equal(
		    judge(r, c->answer, c->answer_len, signed_at(c) + rows[i].offset, &rcode, &e),
		    rows[i].verdict);
	}
	dns_request_free(r);
}

static void
test_unsigned_answer_to_signed_request(void **state)
{
	const struct capture *c = capture_find(captures, count, "add-sha256");
	struct dns_request *r = request_of(c);
	struct dns_message *m = dns_message_parse(c->answer, c->answer_len, NULL);
	uint8_t bare[512];
	unsigned rcode;
	struct err e;

	memcpy(bare, c->answer, m->tsig_at);
	bare[11] = 0;
	assert_int_equal(judge(r, bare, m->tsig_at, signed_at(c), &rcode, &e), DNS_UNTRUSTED);
	assert_non_null(strstr(e.detail, "not signed"));
	/* An unsigned refusal: still not trusted, but nothing was done. */
	bare[3] |= LDNS_RCODE_REFUSED;
	assert_int_equal(judge(r, bare, m->tsig_at, signed_at(c), &rcode, &e), DNS_DENIED);
	assert_non_null(strstr(e.detail, "REFUSED"));
	dns_message_free(m);
	dns_request_free(r);
}

/* The answer to another request of ours, with the id made to match: its MAC covers another one. */
static void
test_answer_to_another_request(void **state)
{
	const struct capture *a = capture_find(captures, count, "add-sha256");
	const struct capture *d = capture_find(captures, count, "delete-sha256");
	struct dns_request *r = request_of(a);
	uint8_t moved[512];
	unsigned rcode;
	struct err e;

	memcpy(moved, d->answer, d->answer_len);
	memcpy(moved, a->answer, 2);
	assert_int_equal(judge(r, moved, d->answer_len, signed_at(a), &rcode, &e), DNS_UNTRUSTED);
	assert_non_null(strstr(e.detail, "wrong signature"));
	dns_request_free(r);
}

static void
test_key_of_another_name_or_algorithm(void **state)
{
	const struct capture *c = capture_find(captures, count, "add-sha256");
	struct tsig_key other = c->key;
	struct dns_request *r = request_of(c);
	unsigned rcode;
	struct err e;

	strcpy(other.name, "other.example");
	r->key = &other;
	assert_int_equal(
	    judge(r, c->answer, c->answer_len, signed_at(c), &rcode, &e), DNS_UNTRUSTED);
	assert_non_null(strstr(e.detail, "another name"));
	other = c->key;
	other.algorithm = DIGEST_SHA512;
	assert_int_equal(
	    judge(r, c->answer, c->answer_len, signed_at(c), &rcode, &e), DNS_UNTRUSTED);
	assert_non_null(strstr(e.detail, "another algorithm"));
	dns_request_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_requests_are_those_of_nsupdate),
	    cmocka_unit_test(test_answers_of_named_verify),
	    cmocka_unit_test(test_errors_of_named),
	    cmocka_unit_test(test_every_octet_is_protected),
	    cmocka_unit_test(test_time_is_checked_against_fudge),
	    cmocka_unit_test(test_unsigned_answer_to_signed_request),
	    cmocka_unit_test(test_answer_to_another_request),
	    cmocka_unit_test(test_key_of_another_name_or_algorithm),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
