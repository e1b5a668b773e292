/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/responder_question.h"

enum {
	/* OPT and TSIG. Nothing else has a place behind a question. */
	ADDITIONAL_MAX = 2,
	EDNS_DO = 0x8000,
};

struct message {
	const uint8_t *wire;
	size_t len;
	size_t pos;
};

/* Types that are no data of a zone (RFC 6895 3.1). ANY is one too, and has its own answer. */
static const struct {
	unsigned first;
	unsigned last;
	ldns_pkt_rcode rcode;
} meta_types[] = {
    {0, 0, LDNS_RCODE_FORMERR},
    {LDNS_RR_TYPE_OPT, LDNS_RR_TYPE_OPT, LDNS_RCODE_FORMERR},
    {128, LDNS_RR_TYPE_TSIG, LDNS_RCODE_FORMERR},
    {LDNS_RR_TYPE_IXFR, LDNS_RR_TYPE_AXFR, LDNS_RCODE_REFUSED},
    {LDNS_RR_TYPE_MAILB, LDNS_RR_TYPE_MAILA, LDNS_RCODE_NOTIMPL},
};

static ldns_pkt_rcode
judge_type(ldns_rr_type type)
{
	for (size_t i = 0; i < sizeof(meta_types) / sizeof(meta_types[0]); i++)
		if (type >= meta_types[i].first && type <= meta_types[i].last)
			return meta_types[i].rcode;
	return LDNS_RCODE_NOERROR;
}

static ldns_rr *
next_rr(struct message *m, ldns_pkt_section section)
{
	ldns_rr *rr = NULL;

	if (m->pos >= m->len ||
	    ldns_wire2rr(&rr, m->wire, m->len, &m->pos, section) != LDNS_STATUS_OK)
		return NULL;
	return rr;
}

/* The version and the flags of OPT stand where others have their time to live. */
static ldns_pkt_rcode
take_opt(const ldns_rr *rr, struct responder_question *q)
{
	uint32_t ttl = ldns_rr_ttl(rr);

	if (q->edns || ldns_rdf_size(ldns_rr_owner(rr)) != 1)
		return LDNS_RCODE_FORMERR;
	q->edns = true;
	q->payload = (uint16_t)ldns_rr_get_class(rr);
	q->dnssec = (ttl & EDNS_DO) != 0;
	return ((ttl >> 16) & 0xff) == 0 ? LDNS_RCODE_NOERROR : RESPONDER_BADVERS;
}

/* We hold no keys: RFC 8945 5.2.1. */
static ldns_pkt_rcode
take_additional(const ldns_rr *rr, struct responder_question *q)
{
	switch ((unsigned)ldns_rr_get_type(rr)) {
	case LDNS_RR_TYPE_OPT:
		return take_opt(rr, q);
	case LDNS_RR_TYPE_TSIG:
		return LDNS_RCODE_NOTAUTH;
	default:
		return LDNS_RCODE_NOERROR;
	}
}

/* A broken message outweighs everything, otherwise the first that is wrong counts. */
static ldns_pkt_rcode
read_additional(struct message *m, unsigned count, struct responder_question *q)
{
	ldns_pkt_rcode worst = LDNS_RCODE_NOERROR;

	for (unsigned i = 0; i < count; i++) {
		ldns_rr *rr = next_rr(m, LDNS_SECTION_ADDITIONAL);
		ldns_pkt_rcode rcode = rr != NULL ? take_additional(rr, q) : LDNS_RCODE_FORMERR;

		ldns_rr_free(rr);
		if (rcode == LDNS_RCODE_FORMERR)
			return rcode;
		if (worst == LDNS_RCODE_NOERROR)
			worst = rcode;
	}
	return m->pos == m->len ? worst : LDNS_RCODE_FORMERR;
}

/* Only an IXFR has something there, the serial number it knows (RFC 1995 3). */
static bool
skip_authority(struct message *m, const struct responder_question *q)
{
	ldns_rr *rr;

	if (LDNS_NSCOUNT(m->wire) == 0)
		return true;
	if (LDNS_NSCOUNT(m->wire) > 1 || ldns_rr_get_type(q->rr) != LDNS_RR_TYPE_IXFR)
		return false;
	rr = next_rr(m, LDNS_SECTION_AUTHORITY);
	ldns_rr_free(rr);
	return rr != NULL;
}

static ldns_pkt_rcode
read_body(struct message *m, struct responder_question *q)
{
	unsigned additional = LDNS_ARCOUNT(m->wire);
	ldns_pkt_rcode rcode;

	if (q->opcode != LDNS_PACKET_QUERY)
		return LDNS_RCODE_NOTIMPL;
	if (LDNS_QDCOUNT(m->wire) != 1 || LDNS_ANCOUNT(m->wire) != 0 || additional > ADDITIONAL_MAX)
		return LDNS_RCODE_FORMERR;
	q->rr = next_rr(m, LDNS_SECTION_QUESTION);
	if (q->rr == NULL || !skip_authority(m, q))
		return LDNS_RCODE_FORMERR;
	rcode = read_additional(m, additional, q);
	if (rcode == LDNS_RCODE_NOERROR && ldns_rr_get_class(q->rr) != LDNS_RR_CLASS_IN)
		rcode = LDNS_RCODE_REFUSED;
	return rcode != LDNS_RCODE_NOERROR ? rcode : judge_type(ldns_rr_get_type(q->rr));
}

bool
responder_question_parse(const uint8_t *query, size_t len, struct responder_question *ret)
{
	struct message m = {query, len, LDNS_HEADER_SIZE};

	if (len < LDNS_HEADER_SIZE || LDNS_QR_WIRE(query))
		return false;
	*ret = (struct responder_question){
	    .id = LDNS_ID_WIRE(query),
	    .opcode = (ldns_pkt_opcode)LDNS_OPCODE_WIRE(query),
	    .recursion = LDNS_RD_WIRE(query) != 0,
	};
	ret->rcode = read_body(&m, ret);
	return true;
}

void
responder_question_done(struct responder_question *q)
{
	ldns_rr_free(q->rr);
	q->rr = NULL;
}
