/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/responder_answer.h"

#include <stdlib.h>
#include <string.h>

#include "dns/rdf.h"
#include "dns/responder_question.h"
#include "dns/responder_table.h"

enum {
	/* Challenges come and go: nobody should remember one, or that there was none. */
	TTL_CHANGING = 1,
	TTL_STEADY = 300,
	SOA_REFRESH = 3600,
	SOA_RETRY = 600,
	SOA_EXPIRE = 604800,
};

/* One answer in the making. */
struct reply {
	const struct responder_table *table;
	const struct responder_question *question;
	struct responder_view view;
	ldns_pkt *pkt;
};

static ldns_rr *
rr_new(const ldns_rdf *owner, ldns_rr_type type, uint32_t ttl)
{
	ldns_rr *rr = rdf_check(ldns_rr_new());

	ldns_rr_set_owner(rr, rdf_check(ldns_rdf_clone(owner)));
	ldns_rr_set_type(rr, type);
	ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
	ldns_rr_set_ttl(rr, ttl);
	return rr;
}

static void
rr_push(ldns_rr *rr, ldns_rdf *rdf)
{
	if (!ldns_rr_push_rdf(rr, rdf_check(rdf)))
		abort();
}

static void
reply_push(struct reply *r, ldns_pkt_section section, ldns_rr *rr)
{
	if (!ldns_pkt_push_rr(r->pkt, section, rr))
		abort();
}

static const ldns_rdf *
qname(const struct reply *r)
{
	return ldns_rr_owner(r->question->rr);
}

/* ---- what there is ---- */

static ldns_rr *
make_soa(const struct reply *r)
{
	ldns_rr *rr = rr_new(r->view.apex, LDNS_RR_TYPE_SOA, TTL_CHANGING);
	const uint32_t numbers[] = {
	    responder_table_serial(r->table), SOA_REFRESH, SOA_RETRY, SOA_EXPIRE, TTL_CHANGING};

	rr_push(rr, ldns_rdf_clone(responder_table_ns(r->table)));
	rr_push(rr, ldns_rdf_clone(responder_table_mailbox(r->table)));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		rr_push(rr, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, numbers[i]));
	return rr;
}

static void
add_soa(struct reply *r)
{
	if (r->view.is_apex)
		reply_push(r, LDNS_SECTION_ANSWER, make_soa(r));
}

static void
add_ns(struct reply *r)
{
	ldns_rr *rr;

	if (!r->view.is_apex)
		return;
	rr = rr_new(qname(r), LDNS_RR_TYPE_NS, TTL_STEADY);
	rr_push(rr, ldns_rdf_clone(responder_table_ns(r->table)));
	reply_push(r, LDNS_SECTION_ANSWER, rr);
}

/* Equal values stand side by side in the table. */
static void
add_txt(struct reply *r)
{
	const struct responder_record *record;
	const ldns_rdf *last = NULL;

	if (r->view.name == NULL)
		return;
	TAILQ_FOREACH (record, &r->view.name->records, entry) {
		ldns_rr *rr;

		if (last != NULL && ldns_rdf_compare(last, record->value) == 0)
			continue;
		last = record->value;
		rr = rr_new(qname(r), LDNS_RR_TYPE_TXT, TTL_CHANGING);
		rr_push(rr, ldns_rdf_clone(record->value));
		reply_push(r, LDNS_SECTION_ANSWER, rr);
	}
}

/* A and AAAA: the address is of one of the two. */
static void
add_address(struct reply *r)
{
	const ldns_rdf *address = responder_table_address(r->table);
	ldns_rr_type type = ldns_rr_get_type(r->question->rr);
	ldns_rdf_type wanted = type == LDNS_RR_TYPE_A ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA;
	ldns_rr *rr;

	if (!r->view.in_zone || address == NULL || ldns_rdf_get_type(address) != wanted)
		return;
	rr = rr_new(qname(r), type, TTL_STEADY);
	rr_push(rr, ldns_rdf_clone(address));
	reply_push(r, LDNS_SECTION_ANSWER, rr);
}

/* One small record instead of all there is (RFC 8482 4.2). */
static void
add_any(struct reply *r)
{
	static const uint8_t cpu[] = "\7RFC8482", os[] = "";
	ldns_rr *rr;

	if (!r->view.exists)
		return;
	rr = rr_new(qname(r), LDNS_RR_TYPE_HINFO, TTL_CHANGING);
	rr_push(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, sizeof(cpu) - 1, cpu));
	rr_push(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, sizeof(os), os));
	reply_push(r, LDNS_SECTION_ANSWER, rr);
}

static const struct {
	ldns_rr_type type;
	void (*add)(struct reply *r);
} answers[] = {
    {LDNS_RR_TYPE_TXT, add_txt},
    {LDNS_RR_TYPE_SOA, add_soa},
    {LDNS_RR_TYPE_NS, add_ns},
    {LDNS_RR_TYPE_A, add_address},
    {LDNS_RR_TYPE_AAAA, add_address},
    {LDNS_RR_TYPE_ANY, add_any},
};

/* ---- the message ---- */

static void
reply_begin(struct reply *r, ldns_pkt_rcode rcode)
{
	const struct responder_question *q = r->question;

	r->pkt = rdf_check(ldns_pkt_new());
	ldns_pkt_set_id(r->pkt, q->id);
	ldns_pkt_set_qr(r->pkt, true);
	ldns_pkt_set_opcode(r->pkt, q->opcode);
	ldns_pkt_set_rd(r->pkt, q->recursion);
	ldns_pkt_set_rcode(r->pkt, rcode & 0x0f);
	if (q->rr != NULL)
		reply_push(r, LDNS_SECTION_QUESTION, rdf_check(ldns_rr_clone(q->rr)));
	if (!q->edns)
		return;
	ldns_pkt_set_edns_udp_size(r->pkt, RESPONDER_UDP_MAX);
	ldns_pkt_set_edns_extended_rcode(r->pkt, (uint8_t)(rcode >> 4));
	ldns_pkt_set_edns_do(r->pkt, q->dnssec);
}

/* Ends the packet; false if it is larger than max. */
static bool
reply_end(struct reply *r, size_t max, struct responder_reply *ret)
{
	ldns_status status = ldns_pkt2wire(&ret->bytes, r->pkt, &ret->len);

	ldns_pkt_free(r->pkt);
	r->pkt = NULL;
	if (status == LDNS_STATUS_MEM_ERR)
		abort();
	if (status == LDNS_STATUS_OK && ret->len <= max)
		return true;
	free(ret->bytes);
	ret->bytes = NULL;
	return false;
}

/* No answer, but an authoritative word about it: NODATA or NXDOMAIN (RFC 2308). */
static void
reply_negative(struct reply *r)
{
	if (!r->view.exists)
		ldns_pkt_set_rcode(r->pkt, LDNS_RCODE_NXDOMAIN);
	reply_push(r, LDNS_SECTION_AUTHORITY, make_soa(r));
}

static void
reply_fill(struct reply *r)
{
	ldns_rr_type type = ldns_rr_get_type(r->question->rr);

	reply_begin(r, LDNS_RCODE_NOERROR);
	ldns_pkt_set_aa(r->pkt, true);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].type == type)
			answers[i].add(r);
	if (ldns_pkt_ancount(r->pkt) == 0)
		reply_negative(r);
}

static size_t
size_limit(const struct responder_question *q, bool tcp)
{
	if (tcp)
		return LDNS_MAX_PACKETLEN;
	if (!q->edns || q->payload < RESPONDER_UDP_PLAIN)
		return RESPONDER_UDP_PLAIN;
	return q->payload < RESPONDER_UDP_MAX ? q->payload : RESPONDER_UDP_MAX;
}

/* Too large: the question alone with TC set; who needs more comes over TCP. */
static bool
reply_truncated(struct reply *r, size_t max, struct responder_reply *ret)
{
	reply_begin(r, LDNS_RCODE_NOERROR);
	ldns_pkt_set_aa(r->pkt, true);
	ldns_pkt_set_tc(r->pkt, true);
	return reply_end(r, max, ret);
}

static bool
answer_question(struct reply *r, size_t max, struct responder_reply *ret)
{
	ldns_pkt_rcode rcode = r->question->rcode;

	if (rcode == LDNS_RCODE_NOERROR) {
		responder_table_find(r->table, qname(r), &r->view);
		if (r->view.apex == NULL)
			rcode = LDNS_RCODE_REFUSED;
	}
	if (rcode != LDNS_RCODE_NOERROR) {
		reply_begin(r, rcode);
		return reply_end(r, max, ret);
	}
	reply_fill(r);
	if (!reply_end(r, max, ret))
		return reply_truncated(r, max, ret);
	if (ldns_rr_get_type(r->question->rr) == LDNS_RR_TYPE_TXT)
		ret->served = r->view.name;
	return true;
}

bool
responder_answer(const struct responder_table *t, const uint8_t *query, size_t len, bool tcp,
    struct responder_reply *ret)
{
	struct responder_question q;
	struct reply r = {.table = t, .question = &q};
	bool answered;

	*ret = (struct responder_reply){0};
	if (!responder_question_parse(query, len, &q))
		return false;
	answered = answer_question(&r, size_limit(&q, tcp), ret);
	responder_question_done(&q);
	return answered;
}
