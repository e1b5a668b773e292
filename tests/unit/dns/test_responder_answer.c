/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of the responder, one row each: what is asked, and what must come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "dns/responder_answer.h"
#include "dns/responder_table.h"

static const char V1[] = "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ";
static const char V2[] = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";

enum setup { ZONE, RECORD4, RECORD6, ANY_NAME, SETUPS };

static struct responder_table *tables[SETUPS];
static struct responder_record *record_of_zone;

static void
add(struct responder_table *t, const char *owner, const char *value)
{
	struct err e;

	assert_non_null(responder_table_add(t, owner, value, NULL, NULL, &e));
}

static void
fill(struct responder_table *t)
{
	add(t, "_acme-challenge.example.org", V1);
	add(t, "_acme-challenge.example.org.", V2);
	add(t, "_acme-challenge.example.org", V1);
	add(t, "example.org.acme.example.net", V1);
	add(t, "Example.ORG.acme.example.net", V2);
	add(t, "deep.host.example.com.acme.example.net", V1);
}

static int
set_up(void **state)
{
	struct ip_addr v4, v6;
	struct responder_table_conf confs[SETUPS] = {
	    [ZONE] = {"acme.example.net", "ns1.acme.example.net", NULL},
	    [RECORD4] = {"Acme.Example.Net.", NULL, &v4},
	    [RECORD6] = {"acme.example.net", "ns.elsewhere.example", &v6},
	    [ANY_NAME] = {NULL, NULL, &v4},
	};
	struct err e;

	ip_addr_parse("192.0.2.1", 9, &v4);
	ip_addr_parse("2001:db8::1", 11, &v6);
	for (size_t i = 0; i < SETUPS; i++) {
		tables[i] = responder_table_new(&confs[i], &e);
		assert_non_null(tables[i]);
		fill(tables[i]);
	}
	return 0;
}

static int
tear_down(void **state)
{
	for (size_t i = 0; i < SETUPS; i++)
		responder_table_free(tables[i]);
	return 0;
}

/* ---- asking ---- */

struct query {
	uint8_t *bytes;
	size_t len;
};

static struct query
make_query(const char *name, ldns_rr_type type, ldns_rr_class class, int payload)
{
	ldns_pkt *pkt = ldns_pkt_query_new(ldns_dname_new_frm_str(name), type, class, LDNS_RD);
	struct query q;

	ldns_pkt_set_id(pkt, 0x1234);
	if (payload > 0)
		ldns_pkt_set_edns_udp_size(pkt, (uint16_t)payload);
	assert_int_equal(ldns_pkt2wire(&q.bytes, pkt, &q.len), LDNS_STATUS_OK);
	ldns_pkt_free(pkt);
	return q;
}

static struct query
question(const char *name, ldns_rr_type type)
{
	return make_query(name, type, LDNS_RR_CLASS_IN, 1232);
}

/* The answer, parsed; NULL if there was none. Frees the query. */
static ldns_pkt *
ask_full(enum setup setup, struct query q, bool tcp, struct responder_reply *ret)
{
	ldns_pkt *pkt = NULL;

	if (!responder_answer(tables[setup], q.bytes, q.len, tcp, ret)) {
		assert_null(ret->bytes);
		free(q.bytes);
		return NULL;
	}
	assert_int_equal(ldns_wire2pkt(&pkt, ret->bytes, ret->len), LDNS_STATUS_OK);
	assert_true(ldns_pkt_qr(pkt));
	assert_false(ldns_pkt_ra(pkt));
	assert_memory_equal(q.bytes, ret->bytes, 2);
	assert_int_equal(LDNS_OPCODE_WIRE(q.bytes), LDNS_OPCODE_WIRE(ret->bytes));
	free(q.bytes);
	free(ret->bytes);
	return pkt;
}

static ldns_pkt *
ask(enum setup setup, struct query q)
{
	struct responder_reply reply;

	return ask_full(setup, q, false, &reply);
}

static unsigned
full_rcode(const ldns_pkt *pkt)
{
	return (unsigned)ldns_pkt_edns_extended_rcode(pkt) << 4 | ldns_pkt_get_rcode(pkt);
}

/* ---- what is asked, what comes ---- */

static const struct row {
	enum setup setup;
	const char *name;
	unsigned type;
	unsigned rcode;
	unsigned answers;
	bool soa;         /* in the authority section */
	const char *apex; /* its owner */
} rows[] = {
    /* TXT, at both names; equal values once */
    {ZONE, "_acme-challenge.example.org", LDNS_RR_TYPE_TXT, 0, 2},
    {ZONE, "example.org.acme.example.net", LDNS_RR_TYPE_TXT, 0, 2},
    {ZONE, "_ACME-challenge.eXample.orG", LDNS_RR_TYPE_TXT, 0, 2},
    {ANY_NAME, "_acme-challenge.example.org", LDNS_RR_TYPE_TXT, 0, 2},
    {ZONE, "deep.host.example.com.acme.example.net", LDNS_RR_TYPE_TXT, 0, 1},
    /* NODATA */
    {ZONE, "acme.example.net", LDNS_RR_TYPE_TXT, 0, 0, true, "acme.example.net."},
    {ZONE, "example.org.acme.example.net", LDNS_RR_TYPE_A, 0, 0, true, "acme.example.net."},
    {ZONE, "example.org.acme.example.net", LDNS_RR_TYPE_CAA, 0, 0, true, "acme.example.net."},
    {ZONE, "example.org.acme.example.net", LDNS_RR_TYPE_NS, 0, 0, true, "acme.example.net."},
    {ZONE, "example.org.acme.example.net", LDNS_RR_TYPE_SOA, 0, 0, true, "acme.example.net."},
    {ZONE, "example.org.acme.example.net", LDNS_RR_TYPE_CNAME, 0, 0, true, "acme.example.net."},
    {ZONE, "example.org.acme.example.net", 65280, 0, 0, true, "acme.example.net."},
    {ZONE, "acme.example.net", LDNS_RR_TYPE_DS, 0, 0, true, "acme.example.net."},
    /* empty non-terminals are there */
    {ZONE, "org.acme.example.net", LDNS_RR_TYPE_TXT, 0, 0, true, "acme.example.net."},
    {ZONE, "com.acme.example.net", LDNS_RR_TYPE_TXT, 0, 0, true, "acme.example.net."},
    {ZONE, "host.example.com.acme.example.net", LDNS_RR_TYPE_A, 0, 0, true, "acme.example.net."},
    {ZONE, "ns1.acme.example.net", LDNS_RR_TYPE_A, 0, 0, true, "acme.example.net."},
    /* NXDOMAIN; a name that only looks like one above another is none */
    {ZONE, "nothing.acme.example.net", LDNS_RR_TYPE_TXT, LDNS_RCODE_NXDOMAIN, 0, true,
	"acme.example.net."},
    {ZONE, "rg.acme.example.net", LDNS_RR_TYPE_TXT, LDNS_RCODE_NXDOMAIN, 0, true,
	"acme.example.net."},
    {ZONE, "x.example.org.acme.example.net", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN, 0, true,
	"acme.example.net."},
    {ZONE, "nothing.acme.example.net", LDNS_RR_TYPE_ANY, LDNS_RCODE_NXDOMAIN, 0, true,
	"acme.example.net."},
    /* SOA and NS of the zone */
    {ZONE, "acme.example.net", LDNS_RR_TYPE_SOA, 0, 1},
    {ZONE, "ACME.example.NET", LDNS_RR_TYPE_NS, 0, 1},
    {RECORD4, "acme.example.net", LDNS_RR_TYPE_NS, 0, 1},
    {ANY_NAME, ".", LDNS_RR_TYPE_NS, 0, 1},
    /* a challenge outside of the zone is a zone of its own while it is active */
    {ZONE, "_acme-challenge.example.org", LDNS_RR_TYPE_SOA, 0, 1},
    {ZONE, "_acme-challenge.example.org", LDNS_RR_TYPE_NS, 0, 1},
    {ZONE, "_acme-challenge.example.org", LDNS_RR_TYPE_CAA, 0, 0, true,
	"_acme-challenge.example.org."},
    {RECORD4, "_acme-challenge.example.org", LDNS_RR_TYPE_A, 0, 0, true,
	"_acme-challenge.example.org."},
    /* ANY: one small record */
    {ZONE, "example.org.acme.example.net", LDNS_RR_TYPE_ANY, 0, 1},
    {ZONE, "acme.example.net", LDNS_RR_TYPE_ANY, 0, 1},
    {ZONE, "org.acme.example.net", LDNS_RR_TYPE_ANY, 0, 1},
    /* the address, at every name of the zone */
    {RECORD4, "acme.example.net", LDNS_RR_TYPE_A, 0, 1},
    {RECORD4, "whatever.acme.example.net", LDNS_RR_TYPE_A, 0, 1},
    {RECORD4, "acme.example.net", LDNS_RR_TYPE_AAAA, 0, 0, true, "acme.example.net."},
    {RECORD4, "whatever.acme.example.net", LDNS_RR_TYPE_TXT, 0, 0, true, "acme.example.net."},
    {RECORD6, "acme.example.net", LDNS_RR_TYPE_AAAA, 0, 1},
    {RECORD6, "acme.example.net", LDNS_RR_TYPE_A, 0, 0, true, "acme.example.net."},
    {ANY_NAME, "www.example.com", LDNS_RR_TYPE_A, 0, 1},
    {ANY_NAME, "www.example.com", LDNS_RR_TYPE_TXT, 0, 0, true, "."},
    {ANY_NAME, "www.example.com", LDNS_RR_TYPE_CAA, 0, 0, true, "."},
    /* not ours */
    {ZONE, "example.org", LDNS_RR_TYPE_TXT, LDNS_RCODE_REFUSED},
    {ZONE, "x._acme-challenge.example.org", LDNS_RR_TYPE_TXT, LDNS_RCODE_REFUSED},
    {ZONE, "_acme-challenge.example.com", LDNS_RR_TYPE_TXT, LDNS_RCODE_REFUSED},
    {ZONE, "xacme.example.net", LDNS_RR_TYPE_TXT, LDNS_RCODE_REFUSED},
    {ZONE, "example.net", LDNS_RR_TYPE_SOA, LDNS_RCODE_REFUSED},
    {ZONE, ".", LDNS_RR_TYPE_NS, LDNS_RCODE_REFUSED},
    {RECORD4, "example.org", LDNS_RR_TYPE_A, LDNS_RCODE_REFUSED},
    {ZONE, "example.org", LDNS_RR_TYPE_ANY, LDNS_RCODE_REFUSED},
    /* no data of any zone */
    {ZONE, "acme.example.net", LDNS_RR_TYPE_AXFR, LDNS_RCODE_REFUSED},
    {ZONE, "acme.example.net", LDNS_RR_TYPE_IXFR, LDNS_RCODE_REFUSED},
    {ZONE, "acme.example.net", LDNS_RR_TYPE_MAILB, LDNS_RCODE_NOTIMPL},
    {ZONE, "acme.example.net", LDNS_RR_TYPE_OPT, LDNS_RCODE_FORMERR},
    {ZONE, "acme.example.net", LDNS_RR_TYPE_TSIG, LDNS_RCODE_FORMERR},
};

static void
check_authority(const struct row *row, const ldns_pkt *pkt)
{
	ldns_rr_list *authority = ldns_pkt_authority(pkt);
	char *owner;

	assert_int_equal(ldns_pkt_nscount(pkt), row->soa ? 1 : 0);
	if (!row->soa)
		return;
	assert_int_equal(ldns_rr_get_type(ldns_rr_list_rr(authority, 0)), LDNS_RR_TYPE_SOA);
	owner = ldns_rdf2str(ldns_rr_owner(ldns_rr_list_rr(authority, 0)));
	assert_string_equal(owner, row->apex);
	free(owner);
}

static void
check_row(const struct row *row, bool tcp)
{
	struct responder_reply reply;
	ldns_pkt *pkt =
	    ask_full(row->setup, question(row->name, (ldns_rr_type)row->type), tcp, &reply);
	bool mine = row->rcode == 0 || row->rcode == LDNS_RCODE_NXDOMAIN;

	assert_non_null(pkt);
	assert_int_equal(full_rcode(pkt), row->rcode);
	assert_int_equal(ldns_pkt_ancount(pkt), row->answers);
	assert_int_equal(ldns_pkt_aa(pkt), mine);
	assert_true(ldns_pkt_rd(pkt));
	assert_false(ldns_pkt_tc(pkt));
	assert_int_equal(ldns_pkt_qdcount(pkt), 1);
	assert_true(ldns_pkt_edns(pkt));
	assert_int_equal(ldns_pkt_edns_udp_size(pkt), RESPONDER_UDP_MAX);
	assert_int_equal(ldns_pkt_arcount(pkt), 0);
	check_authority(row, pkt);
	assert_int_equal(reply.served != NULL, row->type == LDNS_RR_TYPE_TXT && row->answers > 0);
	ldns_pkt_free(pkt);
}

static void
answers(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s %u\n", rows[i].name, rows[i].type);
		check_row(&rows[i], false);
		check_row(&rows[i], true);
	}
}

/* ---- what the records say ---- */

static char *
answer_text(enum setup setup, const char *name, ldns_rr_type type)
{
	ldns_pkt *pkt = ask(setup, question(name, type));
	char *text = ldns_rr_list2str(ldns_pkt_answer(pkt));

	ldns_pkt_free(pkt);
	return text;
}

static void
expect_text(enum setup setup, const char *name, ldns_rr_type type, const char *expected)
{
	char *text = answer_text(setup, name, type);

	assert_string_equal(text, expected);
	free(text);
}

static void
contents(void **state)
{
	expect_text(ZONE, "deep.host.example.com.acme.example.net", LDNS_RR_TYPE_TXT,
	    "deep.host.example.com.acme.example.net.\t1\tIN\tTXT\t\""
	    "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ\"\n");
	expect_text(ZONE, "acme.example.net", LDNS_RR_TYPE_NS,
	    "acme.example.net.\t300\tIN\tNS\tns1.acme.example.net.\n");
	expect_text(RECORD4, "acme.example.net", LDNS_RR_TYPE_NS,
	    "acme.example.net.\t300\tIN\tNS\tacme.example.net.\n");
	expect_text(RECORD4, "x.acme.example.net", LDNS_RR_TYPE_A,
	    "x.acme.example.net.\t300\tIN\tA\t192.0.2.1\n");
	expect_text(RECORD6, "x.acme.example.net", LDNS_RR_TYPE_AAAA,
	    "x.acme.example.net.\t300\tIN\tAAAA\t2001:db8::1\n");
	expect_text(ZONE, "org.acme.example.net", LDNS_RR_TYPE_ANY,
	    "org.acme.example.net.\t1\tIN\tHINFO\t\"RFC8482\" \"\"\n");
}

/* Resolvers check that the case they chose comes back (draft-vixie-dnsext-dns0x20). */
static void
case_echoed(void **state)
{
	static const char name[] = "eXaMpLe.oRg.AcMe.eXaMpLe.NeT.";
	ldns_pkt *pkt = ask(ZONE, question(name, LDNS_RR_TYPE_TXT));
	char *asked = ldns_rdf2str(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(pkt), 0)));
	char *owner = ldns_rdf2str(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_answer(pkt), 1)));

	assert_string_equal(asked, name);
	assert_string_equal(owner, name);
	free(asked);
	free(owner);
	ldns_pkt_free(pkt);
}

static uint32_t
serial(enum setup setup)
{
	ldns_pkt *pkt = ask(setup, question("acme.example.net", LDNS_RR_TYPE_SOA));
	ldns_rr *soa = ldns_rr_list_rr(ldns_pkt_answer(pkt), 0);
	uint32_t n = ldns_rdf2native_int32(ldns_rr_rdf(soa, 2));

	ldns_pkt_free(pkt);
	return n;
}

static void
comes_and_goes(void **state)
{
	static const char name[] = "a.new.acme.example.net";
	uint32_t before = serial(ZONE), during;
	struct err e;
	ldns_pkt *pkt;

	record_of_zone = responder_table_add(tables[ZONE], name, V1, NULL, NULL, &e);
	assert_non_null(record_of_zone);
	during = serial(ZONE);
	assert_int_not_equal(during, before);
	pkt = ask(ZONE, question(name, LDNS_RR_TYPE_TXT));
	assert_int_equal(ldns_pkt_ancount(pkt), 1);
	ldns_pkt_free(pkt);
	responder_table_remove(tables[ZONE], record_of_zone);
	assert_int_not_equal(serial(ZONE), during);
	pkt = ask(ZONE, question(name, LDNS_RR_TYPE_TXT));
	assert_int_equal(ldns_pkt_get_rcode(pkt), LDNS_RCODE_NXDOMAIN);
	ldns_pkt_free(pkt);
	pkt = ask(ZONE, question("new.acme.example.net", LDNS_RR_TYPE_TXT));
	assert_int_equal(ldns_pkt_get_rcode(pkt), LDNS_RCODE_NXDOMAIN);
	ldns_pkt_free(pkt);
}

/* One of two equal presentations goes: the value stays. */
static void
counted(void **state)
{
	struct responder_table *t = tables[ANY_NAME];
	struct err e;
	struct responder_record *a = responder_table_add(t, "twice.example", V1, NULL, NULL, &e);
	struct responder_record *b = responder_table_add(t, "twice.example", V2, NULL, NULL, &e);
	struct responder_record *c = responder_table_add(t, "twice.example", V1, NULL, NULL, &e);
	ldns_pkt *pkt;

	responder_table_remove(t, a);
	pkt = ask(ANY_NAME, question("twice.example", LDNS_RR_TYPE_TXT));
	assert_int_equal(ldns_pkt_ancount(pkt), 2);
	ldns_pkt_free(pkt);
	responder_table_remove(t, c);
	expect_text(ANY_NAME, "twice.example", LDNS_RR_TYPE_TXT,
	    "twice.example.\t1\tIN\tTXT\t\"evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA\"\n");
	responder_table_remove(t, b);
}

/* ---- sizes ---- */

enum { MANY = 200 };

static void
add_many(enum setup setup, struct responder_record *ret[MANY])
{
	struct err e;
	char value[44];

	for (int i = 0; i < MANY; i++) {
		snprintf(value, sizeof(value), "%043d", i);
		ret[i] = responder_table_add(
		    tables[setup], "many.acme.example.net", value, NULL, NULL, &e);
		assert_non_null(ret[i]);
	}
	assert_null(
	    responder_table_add(tables[setup], "many.acme.example.net", V1, NULL, NULL, &e));
	assert_int_equal(e.kind, ERR_BUSY);
}

static void
expect_size(int payload, bool tcp, bool truncated, size_t max)
{
	struct responder_reply reply;
	struct query q =
	    make_query("many.acme.example.net", LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_IN, payload);
	ldns_pkt *pkt = ask_full(ZONE, q, tcp, &reply);

	assert_int_equal(ldns_pkt_tc(pkt), truncated);
	assert_int_equal(ldns_pkt_ancount(pkt), truncated ? 0 : MANY);
	assert_int_equal(reply.served != NULL, !truncated);
	assert_true(reply.len <= max);
	assert_int_equal(ldns_pkt_edns(pkt), payload > 0);
	ldns_pkt_free(pkt);
}

static void
truncation(void **state)
{
	struct responder_record *records[MANY];

	add_many(ZONE, records);
	expect_size(0, false, true, 512);
	expect_size(512, false, true, 512);
	expect_size(1232, false, true, 1232);
	expect_size(65535, false, true, 1232);
	expect_size(0, true, false, 65535);
	expect_size(512, true, false, 65535);
	for (int i = 0; i < MANY; i++)
		responder_table_remove(tables[ZONE], records[i]);
}

/* How many values go into a datagram, by what the asker takes. */
static void
payloads(void **state)
{
	static const struct {
		int payload;
		unsigned values;
		bool truncated;
	} sizes[] = {
	    {0, 7, false},
	    {0, 10, true},
	    {100, 7, false},
	    {100, 10, true},
	    {800, 10, false},
	    {800, 14, true},
	    {4096, 20, false},
	    {4096, 22, true},
	};
	struct responder_record *records[MANY];

	add_many(ZONE, records);
	for (size_t i = MANY; i-- > 0;) {
		for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			struct query q = make_query("many.acme.example.net", LDNS_RR_TYPE_TXT,
			    LDNS_RR_CLASS_IN, sizes[k].payload);
			ldns_pkt *pkt;

			if (sizes[k].values != i + 1) {
				free(q.bytes);
				continue;
			}
			pkt = ask(ZONE, q);
			assert_int_equal(ldns_pkt_tc(pkt), sizes[k].truncated);
			ldns_pkt_free(pkt);
		}
		responder_table_remove(tables[ZONE], records[i]);
	}
}

/* ---- EDNS ---- */

static void
no_edns(void **state)
{
	struct query q = make_query("acme.example.net", LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_IN, 0);
	ldns_pkt *pkt = ask(ZONE, q);

	assert_int_equal(ldns_pkt_ancount(pkt), 1);
	assert_false(ldns_pkt_edns(pkt));
	ldns_pkt_free(pkt);
}

/* OPT is the last record of our queries: type at -10, class -8, rcode -6, version -5, flags -4. */
static void
edns_version(void **state)
{
	struct query q = question("acme.example.net", LDNS_RR_TYPE_SOA);
	ldns_pkt *pkt;

	q.bytes[q.len - 5] = 1;
	pkt = ask(ZONE, q);
	assert_int_equal(full_rcode(pkt), 16);
	assert_int_equal(ldns_pkt_edns_version(pkt), 0);
	assert_int_equal(ldns_pkt_ancount(pkt), 0);
	ldns_pkt_free(pkt);
}

static void
edns_do(void **state)
{
	struct query q = question("acme.example.net", LDNS_RR_TYPE_SOA);
	ldns_pkt *pkt;

	q.bytes[q.len - 4] = 0x80;
	pkt = ask(ZONE, q);
	assert_true(ldns_pkt_edns_do(pkt));
	assert_int_equal(ldns_pkt_ancount(pkt), 1);
	ldns_pkt_free(pkt);
}

/* ---- what is no fair question ---- */

static struct query
append(struct query q, const void *bytes, size_t n)
{
	if (n == 0)
		return q;
	q.bytes = realloc(q.bytes, q.len + n);
	memcpy(q.bytes + q.len, bytes, n);
	q.len += n;
	return q;
}

static const uint8_t OPT[] = {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};
static const uint8_t OPT_NAMED[] = {1, 'x', 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};
/* k. 0 ANY TSIG: hmac-md5-like algorithm "h.", time 0, fudge 300, no MAC, id, no error */
static const uint8_t TSIG[] = {1, 'k', 0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 19, 1, 'h', 0, 0, 0, 0, 0,
    0, 0, 1, 44, 0, 0, 0x12, 0x34, 0, 0, 0, 0};

static struct query
with_additional(const uint8_t *first, size_t first_len, const uint8_t *second, size_t second_len)
{
	struct query q = make_query("acme.example.net", LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_IN, 0);

	q = append(q, first, first_len);
	q = append(q, second, second_len);
	q.bytes[11] = (uint8_t)((first_len > 0) + (second_len > 0));
	return q;
}

static void
expect(struct query q, unsigned rcode)
{
	ldns_pkt *pkt = ask(ZONE, q);

	assert_non_null(pkt);
	assert_int_equal(full_rcode(pkt), rcode);
	assert_int_equal(ldns_pkt_ancount(pkt), 0);
	assert_false(ldns_pkt_aa(pkt));
	ldns_pkt_free(pkt);
}

static void
additional(void **state)
{
	expect(with_additional(OPT, sizeof(OPT), OPT, sizeof(OPT)), LDNS_RCODE_FORMERR);
	expect(with_additional(OPT_NAMED, sizeof(OPT_NAMED), NULL, 0), LDNS_RCODE_FORMERR);
	expect(with_additional(TSIG, sizeof(TSIG), NULL, 0), LDNS_RCODE_NOTAUTH);
	expect(with_additional(OPT, sizeof(OPT), TSIG, sizeof(TSIG)), LDNS_RCODE_NOTAUTH);
	expect(with_additional(TSIG, sizeof(TSIG), TSIG, 5), LDNS_RCODE_FORMERR);
	expect(append(question("acme.example.net", LDNS_RR_TYPE_SOA), "\0", 1), LDNS_RCODE_FORMERR);
}

static struct query
patched(size_t at, uint8_t value)
{
	struct query q = question("acme.example.net", LDNS_RR_TYPE_SOA);

	q.bytes[at] = value;
	return q;
}

static void
headers(void **state)
{
	expect(patched(2, 0x08), LDNS_RCODE_NOTIMPL); /* IQUERY */
	expect(patched(2, 0x10), LDNS_RCODE_NOTIMPL); /* STATUS */
	expect(patched(2, 0x20), LDNS_RCODE_NOTIMPL); /* NOTIFY */
	expect(patched(2, 0x28), LDNS_RCODE_NOTIMPL); /* UPDATE */
	expect(patched(2, 0x78), LDNS_RCODE_NOTIMPL);
	expect(patched(5, 0), LDNS_RCODE_FORMERR); /* no question */
	expect(patched(5, 2), LDNS_RCODE_FORMERR);
	expect(patched(4, 255), LDNS_RCODE_FORMERR);
	expect(patched(7, 1), LDNS_RCODE_FORMERR); /* an answer in a question */
	expect(patched(9, 1), LDNS_RCODE_FORMERR);
	expect(patched(11, 0), LDNS_RCODE_FORMERR); /* OPT is there, but not counted */
	expect(patched(11, 2), LDNS_RCODE_FORMERR);
	expect(patched(11, 3), LDNS_RCODE_FORMERR);
	expect(patched(12, 0xc0), LDNS_RCODE_FORMERR); /* a pointer into nowhere */
	expect(patched(12, 0x80), LDNS_RCODE_FORMERR);
	expect(patched(12, 63), LDNS_RCODE_FORMERR);
	expect(patched(31, 0), LDNS_RCODE_FORMERR); /* type 0 */
	assert_null(ask(ZONE, patched(2, 0x80)));   /* an answer */
	assert_null(ask(ZONE, patched(2, 0xa8)));
}

static void
classes(void **state)
{
	expect(make_query("acme.example.net", LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_CH, 0),
	    LDNS_RCODE_REFUSED);
	expect(make_query("version.bind", LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_CH, 1232),
	    LDNS_RCODE_REFUSED);
	expect(make_query("acme.example.net", LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_ANY, 0),
	    LDNS_RCODE_REFUSED);
}

/* An IXFR carries the serial number it has. */
static void
ixfr(void **state)
{
	struct query q = make_query("acme.example.net", LDNS_RR_TYPE_IXFR, LDNS_RR_CLASS_IN, 0);

	q.bytes[9] = 1;
	expect(append(q, "\0\0\6\0\1\0\0\0\0\0\0", 11), LDNS_RCODE_REFUSED);
}

/* Every cut of a good query: no answer without a header, FORMERR with one. */
static void
cut(void **state)
{
	struct query q = question("acme.example.net", LDNS_RR_TYPE_SOA);

	for (size_t n = 0; n < q.len; n++) {
		struct query part = {memcpy(malloc(n + 1), q.bytes, n), n};

		if (n < LDNS_HEADER_SIZE)
			assert_null(ask(ZONE, part));
		else
			expect(part, LDNS_RCODE_FORMERR);
	}
	free(q.bytes);
}

/* ---- configuration ---- */

static void
refused_configuration(void **state)
{
	static const struct responder_table_conf bad[] = {
	    {"acme..example", NULL, NULL},
	    {"acme.example", "ns..acme.example", NULL},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", NULL,
		NULL},
	};
	struct err e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(responder_table_new(&bad[i], &e));
		assert_int_equal(e.kind, ERR_CONFIG);
	}
	assert_null(responder_table_add(tables[ZONE], "a..b", V1, NULL, NULL, &e));
	assert_int_equal(e.kind, ERR_INTERNAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers),
	    cmocka_unit_test(contents),
	    cmocka_unit_test(case_echoed),
	    cmocka_unit_test(comes_and_goes),
	    cmocka_unit_test(counted),
	    cmocka_unit_test(truncation),
	    cmocka_unit_test(payloads),
	    cmocka_unit_test(no_edns),
	    cmocka_unit_test(edns_version),
	    cmocka_unit_test(edns_do),
	    cmocka_unit_test(additional),
	    cmocka_unit_test(headers),
	    cmocka_unit_test(classes),
	    cmocka_unit_test(ixfr),
	    cmocka_unit_test(cut),
	    cmocka_unit_test(refused_configuration),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
