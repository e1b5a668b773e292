/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What we ask: built with ldns, signed, and compared with what comes back. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "dns/message.h"
#include "dns/rdf.h"

enum { UPCOUNT = 8 }; /* of the header, RFC 2136 2.2 */

static uint16_t
random_id(void)
{
	uint16_t id;

	random_bytes(&id, sizeof(id));
	return id;
}

/* Takes pkt. */
static struct dns_request *
request_new(ldns_pkt *pkt)
{
	struct dns_request *r = xcalloc(1, sizeof(*r));
	const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(pkt), 0);
	uint8_t *wire = NULL;
	size_t len = 0;

	r->id = random_id();
	ldns_pkt_set_id(pkt, r->id);
	r->opcode = ldns_pkt_get_opcode(pkt);
	r->name = rdf_check(ldns_rdf_clone(ldns_rr_owner(question)));
	r->type = ldns_rr_get_type(question);
	if (ldns_pkt2wire(&wire, pkt, &len) != LDNS_STATUS_OK)
		abort();
	buf_init(&r->wire, DNS_ANSWER_MAX);
	buf_add(&r->wire, wire, len);
	LDNS_FREE(wire);
	ldns_pkt_free(pkt);
	return r;
}

/* Takes rr. Not through the packet: there ldns would compress the owner's name, which no other
 * client does in this section. */
static void
add_update(struct dns_request *r, ldns_rr *rr)
{
	uint8_t *wire = NULL;
	size_t len = 0;

	if (ldns_rr2wire(&wire, rr, LDNS_SECTION_AUTHORITY, &len) != LDNS_STATUS_OK)
		abort();
	buf_add(&r->wire, wire, len);
	r->wire.data[UPCOUNT + 1] = 1;
	LDNS_FREE(wire);
	ldns_rr_free(rr);
}

struct dns_request *
dns_request_query(const char *name, ldns_rr_type type, bool recursive, bool edns)
{
	ldns_rdf *rdf = rdf_from_name(name);

	if (rdf == NULL)
		return NULL;
	ldns_pkt *pkt =
	    rdf_check(ldns_pkt_query_new(rdf, type, LDNS_RR_CLASS_IN, recursive ? LDNS_RD : 0));
	if (edns)
		ldns_pkt_set_edns_udp_size(pkt, DNS_EDNS_SIZE);
	return request_new(pkt);
}

/* RFC 2136 2.5.1 and 2.5.4: deleting one record takes class NONE and TTL 0. Takes owner. */
static ldns_rr *
txt_record(ldns_rdf *owner, const char *value, bool add, uint32_t ttl)
{
	ldns_rr *rr = rdf_check(ldns_rr_new());
	uint8_t text[256];
	size_t len = strlen(value);

	text[0] = (uint8_t)len;
	memcpy(text + 1, value, len);
	ldns_rr_set_owner(rr, owner);
	ldns_rr_set_type(rr, LDNS_RR_TYPE_TXT);
	ldns_rr_set_class(rr, add ? LDNS_RR_CLASS_IN : LDNS_RR_CLASS_NONE);
	ldns_rr_set_ttl(rr, add ? ttl : 0);
	if (!ldns_rr_push_rdf(
		rr, rdf_check(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, len + 1, text))))
		abort();
	return rr;
}

struct dns_request *
dns_request_update(const char *zone, const char *name, const char *value, bool add, uint32_t ttl,
    const struct tsig_key *key, int64_t now)
{
	ldns_rdf *zone_rdf = rdf_from_name(zone);
	ldns_rdf *owner = rdf_from_name(name);

	if (zone_rdf == NULL || owner == NULL || strlen(value) > 255) {
		ldns_rdf_deep_free(zone_rdf);
		ldns_rdf_deep_free(owner);
		return NULL;
	}
	ldns_pkt *pkt =
	    rdf_check(ldns_pkt_query_new(zone_rdf, LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_IN, 0));
	ldns_pkt_set_opcode(pkt, LDNS_PACKET_UPDATE);
	struct dns_request *r = request_new(pkt);
	add_update(r, txt_record(owner, value, add, ttl));
	if (key != NULL) {
		r->key = key;
		tsig_sign(key, NULL, now, &r->wire, &r->mac);
	}
	return r;
}

void
dns_request_free(struct dns_request *r)
{
	if (r == NULL)
		return;
	ldns_rdf_deep_free(r->name);
	buf_done(&r->wire);
	free(r);
}

/* ---- the answer ---- */

static bool
ours(const struct dns_request *r, const uint8_t *wire, size_t len)
{
	return len >= DNS_HEADER && LDNS_ID_WIRE(wire) == r->id && LDNS_QR_WIRE(wire) &&
	    LDNS_OPCODE_WIRE(wire) == r->opcode;
}

/* A server that did not understand us may leave the question out, and RFC 2136 3.8 lets it leave
 * out the sections of an UPDATE. Otherwise it has to be ours. */
static bool
question_matches(const struct dns_request *r, const struct dns_message *m)
{
	const ldns_rr_list *questions = m->sections[0];
	bool success = m->rcode == LDNS_RCODE_NOERROR || m->rcode == LDNS_RCODE_NXDOMAIN;

	if (ldns_rr_list_rr_count(questions) == 0)
		return r->opcode == LDNS_PACKET_UPDATE || !success;
	const ldns_rr *q = ldns_rr_list_rr(questions, 0);
	return ldns_rr_list_rr_count(questions) == 1 && ldns_rr_get_type(q) == r->type &&
	    ldns_rr_get_class(q) == LDNS_RR_CLASS_IN &&
	    ldns_dname_compare(ldns_rr_owner(q), r->name) == 0;
}

static enum dns_verdict
judge_signature(const struct dns_request *r, const struct dns_message *m, const uint8_t *wire,
    int64_t now, struct err *e)
{
	static const enum dns_verdict verdicts[] = {
	    [TSIG_VALID] = DNS_ANSWERED,
	    [TSIG_UNTRUSTED] = DNS_UNTRUSTED,
	    [TSIG_FINAL] = DNS_FAILED,
	};
	enum dns_verdict verdict = verdicts[tsig_verify(r->key, &r->mac, wire, m, now, e)];

	if (verdict == DNS_UNTRUSTED && m->rcode != LDNS_RCODE_NOERROR)
		return DNS_DENIED;
	return verdict;
}

enum dns_verdict
dns_request_judge(const struct dns_request *r, const uint8_t *wire, size_t len, int64_t now,
    struct dns_message **ret_answer, struct err *e)
{
	enum dns_verdict verdict = DNS_ANSWERED;

	if (!ours(r, wire, len)) {
		err_set(e, ERR_UPSTREAM, "an answer that belongs to another question");
		return DNS_STRAY;
	}
	/* Before parsing: some servers cut in the middle of a record. */
	if (LDNS_TC_WIRE(wire))
		return DNS_CUT;
	struct dns_message *m = dns_message_parse(wire, len, e);
	if (m == NULL)
		return DNS_STRAY;
	if (!question_matches(r, m)) {
		err_set(e, ERR_UPSTREAM, "an answer to another question");
		verdict = DNS_STRAY;
	} else if (r->key != NULL) {
		verdict = judge_signature(r, m, wire, now, e);
	}
	if (verdict == DNS_ANSWERED)
		*ret_answer = m;
	else
		dns_message_free(m);
	return verdict;
}
