/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An answer to the DNS client. The first octet chooses what was asked: a
 * question, an UPDATE, or the signed UPDATE of tests/vectors/dns, so that there
 * is an answer whose signature is good.
 */
#include "fuzz.h"

#include "base/random.h"
#include "dns/message.h"

enum { ID = 0x71df, SIGNED_AT = 0x6b010096, TYPES = 6 };

static const char NAME[] = "_acme-challenge.www.example.org";
static const char VALUE[] = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
static const char SECRET[] =
    "A+Do5LlZUFGSXOtCsOGfEI4M+WyAHMX/e1sUqJoEsc8="; /* vectors/dns/hmac-sha256.key */
static struct tsig_key key;

/* In place of base/random.c: every request has the id of the capture. */
void
random_bytes(void *p, size_t n)
{
	uint16_t id = ID;

	must(n == sizeof(id));
	memcpy(p, &id, sizeof(id));
}

uint32_t
random_below(uint32_t bound)
{
	return 0;
}

static struct dns_request *
request(uint8_t kind)
{
	switch (kind % 3) {
	case 0:
		return dns_request_query(NAME, LDNS_RR_TYPE_TXT, true, true);
	case 1:
		return dns_request_update("example.org", NAME, VALUE, true, 60, NULL, 0);
	default:
		return dns_request_update("example.org", NAME, VALUE, true, 60, &key, SIGNED_AT);
	}
}

/* What the client does with an answer it accepts. */
static void
look_into(const struct dns_message *m)
{
	static const ldns_rr_type types[TYPES] = {LDNS_RR_TYPE_CNAME, LDNS_RR_TYPE_DNAME,
	    LDNS_RR_TYPE_NS, LDNS_RR_TYPE_SOA, LDNS_RR_TYPE_TXT, LDNS_RR_TYPE_A};
	char owner[DNS_NAME_TEXT], name[DNS_NAME_TEXT], number[16];
	const ldns_rr *rr;

	must(dns_rcode_text(m->rcode, number)[0] != '\0');
	for (size_t t = 0; t < TYPES; t++)
		for (size_t i = 0;
		     (rr = dns_message_find(m, LDNS_SECTION_ANSWER, types[t], i)) != NULL; i++) {
			must(i < DNS_RECORDS_MAX);
			if (!dns_rr_owner(rr, owner))
				continue;
			must(dns_name_equal(owner, owner) && dns_name_within(owner, "."));
			if (dns_rr_name(rr, 0, name))
				dns_name_replace(NAME, owner, name, name);
			dns_rr_is_txt(rr, NAME, VALUE);
		}
}

static void
judge(const struct dns_request *r, const uint8_t *wire, size_t len)
{
	struct dns_message *m = NULL;
	struct err e;

	err_clear(&e);
	enum dns_verdict verdict = dns_request_judge(r, wire, len, SIGNED_AT, &m, &e);
	must((verdict == DNS_ANSWERED) == (m != NULL));
	must((verdict == DNS_ANSWERED || verdict == DNS_CUT) == (e.kind == ERR_NONE));
	if (m == NULL)
		return;
	must(m->response && m->id == ID && (r->key == NULL || m->tsig != NULL));
	look_into(m);
	dns_message_free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (key.secret_len == 0)
		must(tsig_key_make("acmems-sha256.example", "hmac-sha256", SECRET, &key, NULL));

	struct dns_request *r = request(data[0]);
	uint8_t *wire = xmemdup(data + 1, size - 1);
	/* The id is the one thing a fuzzer has no business guessing. */
	for (size_t i = 0; i < 2 && i < size - 1; i++)
		wire[i] = (uint8_t)(ID >> (8 * (1 - i)));
	judge(r, wire, size - 1);
	free(wire);
	dns_request_free(r);
	return 0;
}
