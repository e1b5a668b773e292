/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a query asks, and whether it is one that can be answered at all. */
#pragma once

#include "dns/ldns.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct responder_question {
	uint16_t id;
	ldns_pkt_opcode opcode;
	bool recursion; /* RD, echoed */
	ldns_rr *rr;    /* name, type, class; NULL if it could not be read */
	bool edns;
	bool dnssec;          /* DO, echoed (RFC 3225) */
	uint16_t payload;     /* the asker's UDP size, as written */
	ldns_pkt_rcode rcode; /* NOERROR: go on; BADVERS is RESPONDER_BADVERS */
};

/* RFC 6891: does not fit into the four bits of the header. */
enum { RESPONDER_BADVERS = 16 };

/* False: not to be answered (no header, or itself an answer). Otherwise the caller ends it with
 * responder_question_done. */
bool responder_question_parse(const uint8_t *query, size_t len, struct responder_question *ret);
void responder_question_done(struct responder_question *q);
