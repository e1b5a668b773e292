/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions, and what may pass for an answer to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/message.h"
#include "vectors.h"

enum { ID = 0x1234, FLAGS = 2, RCODE = 3, QDCOUNT = 5, ANCOUNT = 7, ARCOUNT = 11 };

static const char NAME[] = "www.example.org";

/* A response to the question: the same octets with QR set. */
static size_t
echo(const struct dns_request *r, uint8_t *out)
{
	memcpy(out, r->wire.data, r->wire.len);
	out[FLAGS] |= 0x80;
	return r->wire.len;
}

static struct dns_request *
question(bool edns)
{
	next_id = ID;
	struct dns_request *r = dns_request_query(NAME, LDNS_RR_TYPE_TXT, true, edns);

	assert_non_null(r);
	return r;
}

static enum dns_verdict
judge(const struct dns_request *r, const uint8_t *wire, size_t len)
{
	struct dns_message *m = NULL;
	struct err e;
	enum dns_verdict v = dns_request_judge(r, wire, len, 0, &m, &e);

	dns_message_free(m);
	return v;
}

static void
test_question(void **state)
{
	static const uint8_t plain[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				       "\x03www\x07"
				       "example\x03org\x00\x00\x10\x00\x01";
	static const uint8_t opt[] = "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00";
	struct dns_request *r = question(false);

	assert_int_equal(r->wire.len, sizeof(plain) - 1);
	assert_memory_equal(r->wire.data, plain, r->wire.len);
	dns_request_free(r);
	r = question(true);
	assert_int_equal(r->wire.len, sizeof(plain) - 1 + sizeof(opt) - 1);
	assert_memory_equal(r->wire.data + sizeof(plain) - 1, opt, sizeof(opt) - 1);
	dns_request_free(r);
	assert_null(dns_request_query("a..b", LDNS_RR_TYPE_TXT, true, true));
}

struct change {
	size_t at;
	uint8_t value;
	enum dns_verdict verdict;
};

static void
test_what_matches(void **state)
{
	static const struct change rows[] = {
	    {RCODE, 0, DNS_ANSWERED}, {RCODE, 3, DNS_ANSWERED}, {RCODE, 5, DNS_ANSWERED},
	    {0, 0x13, DNS_STRAY},            /* id */
	    {FLAGS, 0x01, DNS_STRAY},        /* no response */
	    {FLAGS, 0x80 | 0x28, DNS_STRAY}, /* another opcode */
	    {FLAGS, 0x80 | 0x02, DNS_CUT},   /* TC */
	    {13, 'W', DNS_ANSWERED},         /* case does not matter */
	    {13, 'x', DNS_STRAY},            /* another name */
	    {30, 0x01, DNS_STRAY},           /* another type */
	    {32, 0x03, DNS_STRAY},           /* another class */
	    {QDCOUNT, 2, DNS_STRAY},         /* not there */
	    {ANCOUNT, 1, DNS_STRAY},         /* not there */
	    {ARCOUNT, 0, DNS_STRAY},         /* bytes behind the last record */
	    {4, 0xff, DNS_STRAY},            /* 65281 questions */
	};
	struct dns_request *r = question(true);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t wire[512];
		size_t len = echo(r, wire);
		wire[rows[i].at] = rows[i].value;
		if (judge(r, wire, len) != rows[i].verdict)
			fail_msg("row %zu", i);
	}
	dns_request_free(r);
}

static void
test_every_truncation_is_stray(void **state)
{
	struct dns_request *r = question(true);
	uint8_t wire[512];
	size_t len = echo(r, wire);

	for (size_t n = 0; n < len; n++)
		assert_int_equal(judge(r, wire, n), DNS_STRAY);
	dns_request_free(r);
}

/* A server that did not understand may leave the question out; one that succeeded may not. */
static void
test_without_question(void **state)
{
	struct dns_request *r = question(true);
	uint8_t wire[512];

	echo(r, wire);
	wire[QDCOUNT] = wire[ARCOUNT] = 0;
	wire[RCODE] = 1;
	assert_int_equal(judge(r, wire, DNS_HEADER), DNS_ANSWERED);
	wire[RCODE] = 0;
	assert_int_equal(judge(r, wire, DNS_HEADER), DNS_STRAY);
	wire[RCODE] = 3;
	assert_int_equal(judge(r, wire, DNS_HEADER), DNS_STRAY);
	dns_request_free(r);
}

static void
refuse(const char *octets, size_t len)
{
	struct err e;

	assert_null(dns_message_parse((const uint8_t *)octets, len, &e));
	assert_int_equal(e.kind, ERR_UPSTREAM);
}

static void
test_malformed(void **state)
{
#define HEAD(qd, an, ns, ar) "\x12\x34\x80\x00\x00" qd "\x00" an "\x00" ns "\x00" ar
#define REFUSE(text)         refuse(text, sizeof(text) - 1)
	static const char opt[] = "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00";
	char two[DNS_HEADER + 2 * (sizeof(opt) - 1)];
	static char big[DNS_ANSWER_MAX + 1];

	REFUSE("");
	REFUSE("\x12\x34\x80\x00\x00\x00\x00\x00\x00\x00\x00");
	REFUSE(HEAD("\x01", "\x00", "\x00", "\x00") "\xc0\x0c\x00\x10\x00\x01"); /* to itself */
	REFUSE(HEAD("\x01", "\x00", "\x00", "\x00") "\xc0\xff\x00\x10\x00\x01"); /* beyond */
	REFUSE(
	    HEAD("\x00", "\x01", "\x00", "\x00") "\x00\x00\x10\x00\x01\x00\x00\x00\x00\x00\x05\x04"
						 "ab"); /* rdata cut */
	REFUSE(HEAD("\x00", "\x01", "\x00",
	    "\x00") "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"); /* OPT as an answer */
	memcpy(two, HEAD("\x00", "\x00", "\x00", "\x02"), DNS_HEADER);
	memcpy(two + DNS_HEADER, opt, sizeof(opt) - 1);
	memcpy(two + DNS_HEADER + sizeof(opt) - 1, opt, sizeof(opt) - 1);
	refuse(two, sizeof(two));
	refuse(big, sizeof(big));
}

/* The captures end with their TSIG; behind it nothing may come (RFC 8945 5.1). */
static void
test_tsig_is_last(void **state)
{
	static const char opt[] = "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00";
	struct capture all[CAPTURES_MAX];
	size_t n = captures_load(all);
	const struct capture *c = capture_find(all, n, "add-sha256");
	uint8_t wire[600];

	memcpy(wire, c->answer, c->answer_len);
	memcpy(wire + c->answer_len, opt, sizeof(opt) - 1);
	wire[ARCOUNT] = 2;
	refuse((const char *)wire, c->answer_len + sizeof(opt) - 1);
}

static void
test_rcodes(void **state)
{
	char out[16];

	assert_string_equal(dns_rcode_text(0, out), "NOERROR");
	assert_string_equal(dns_rcode_text(10, out), "NOTZONE");
	assert_string_equal(dns_rcode_text(16, out), "BADVERS");
	assert_string_equal(dns_rcode_text(4095, out), "RCODE 4095");
}

static void
test_txt(void **state)
{
	static const struct {
		const char *record, *name, *value;
		bool is;
	} rows[] = {
	    {"a.example. 60 IN TXT \"value\"", "A.example", "value", true},
	    {"a.example. 60 IN TXT \"val\" \"ue\"", "a.example", "value", true},
	    {"a.example. 60 IN TXT \"value\"", "b.example", "value", false},
	    {"a.example. 60 IN TXT \"value2\"", "a.example", "value", false},
	    {"a.example. 60 IN TXT \"valu\"", "a.example", "value", false},
	    {"a.example. 60 IN TXT \"\"", "a.example", "value", false},
	    {"a.example. 60 IN A 192.0.2.1", "a.example", "value", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ldns_rr *rr = NULL;
		assert_int_equal(
		    ldns_rr_new_frm_str(&rr, rows[i].record, 0, NULL, NULL), LDNS_STATUS_OK);
		assert_int_equal(dns_rr_is_txt(rr, rows[i].name, rows[i].value), rows[i].is);
		ldns_rr_free(rr);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_question),
	    cmocka_unit_test(test_what_matches),
	    cmocka_unit_test(test_every_truncation_is_stray),
	    cmocka_unit_test(test_without_question),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_tsig_is_last),
	    cmocka_unit_test(test_rcodes),
	    cmocka_unit_test(test_txt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
