/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The wire boundary: messages built and parsed with ldns (RFC 1035, RFC 2136,
 * RFC 6891), and the judgement whether what arrived answers what was asked.
 * Only for this room and tests; everybody else sees names and values.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "dns/ldns.h"
#include "dns/name.h"
#include "dns/tsig.h"

enum {
	DNS_HEADER = 12,
	/* What we take of an answer: TXT and NS sets stay far below, a compression bomb cheap. */
	DNS_ANSWER_MAX = 16 * 1024,
	DNS_RECORDS_MAX = 512,
	DNS_EDNS_SIZE = 1232, /* fits every path (RFC 9715) */
	DNS_UDP_PLAIN = 512,  /* without EDNS */
};

/* A question or UPDATE, ready to send. */
struct dns_request {
	uint16_t id;
	ldns_pkt_opcode opcode;
	ldns_rdf *name; /* of the question, or the zone of an UPDATE */
	ldns_rr_type type;
	struct buf wire;
	const struct tsig_key *key; /* borrowed; NULL: unsigned */
	struct tsig_mac mac;        /* of the request */
};

/* A parsed message. */
struct dns_message {
	uint16_t id;
	bool response, aa, tc, edns;
	ldns_pkt_opcode opcode;
	unsigned rcode; /* with the bits of EDNS */
	ldns_rr_list *sections[4];
	ldns_rr *tsig;  /* the last record, or NULL; not in sections */
	size_t tsig_at; /* where it begins */
};

enum dns_verdict {
	DNS_STRAY,     /* answers something else, or is no message */
	DNS_CUT,       /* truncated: ask over TCP */
	DNS_UNTRUSTED, /* answers us, but its signature is missing or fails */
	DNS_DENIED,    /* the same, and it says that the request was not carried out */
	DNS_FAILED,    /* properly signed, and final: BADTIME, BADTRUNC */
	DNS_ANSWERED,
};

/* A question with a random id. NULL if name is none. */
struct dns_request *dns_request_query(
    const char *name, ldns_rr_type type, bool recursive, bool edns);
/* UPDATE of zone (RFC 2136 2): add (ttl) or delete (RFC 2136 2.5.4) exactly one TXT record with
 * one string. Signed with key unless it is NULL. NULL if a name is none or value too long. */
struct dns_request *dns_request_update(const char *zone, const char *name, const char *value,
    bool add, uint32_t ttl, const struct tsig_key *key, int64_t now);
void dns_request_free(struct dns_request *r);

/* NULL and e if it is malformed: more than DNS_ANSWER_MAX octets or DNS_RECORDS_MAX records, bytes
 * behind the last record, a TSIG that is not the last record (RFC 8945 5.1), two OPT records. */
struct dns_message *dns_message_parse(const uint8_t *wire, size_t len, struct err *e);
void dns_message_free(struct dns_message *m);

/* What the bytes are to the request. DNS_ANSWERED: *ret_answer is the caller's. All but
 * DNS_ANSWERED and DNS_CUT set e. */
enum dns_verdict dns_request_judge(const struct dns_request *r, const uint8_t *wire, size_t len,
    int64_t now, struct dns_message **ret_answer, struct err *e);

/* "NXDOMAIN", "RCODE 23" (in out, which has 16 bytes). */
const char *dns_rcode_text(unsigned rcode, char out[16]);

/* Looking into answers. The section lists are bounded, so a walk is. */
const ldns_rr *dns_message_find(
    const struct dns_message *m, ldns_pkt_section section, ldns_rr_type type, size_t nth);
/* Owner of a record in normal form; false if it cannot be written. */
bool dns_rr_owner(const ldns_rr *rr, char out[DNS_NAME_TEXT]);
/* The name in a record's field. */
bool dns_rr_name(const ldns_rr *rr, size_t field, char out[DNS_NAME_TEXT]);
/* The record is TXT at name whose strings joined are value. */
bool dns_rr_is_txt(const ldns_rr *rr, const char *name, const char *value);
