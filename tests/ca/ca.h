/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The CA: everything it consists of, and the door through which requests come. */
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "answer.h"
#include "base/err.h"
#include "endpoint.h"
#include "probe.h"
#include "rule.h"
#include "state.h"

struct event_base;
struct issuer;
struct journal;
struct jwk;
struct nonces;
struct options;
struct request;
struct server;
struct trust;

enum { STATUS_CODES = 600 };

struct ca_counts {
	uint64_t requests[EP_COUNT];
	uint64_t status[STATUS_CODES];
	uint64_t faults[FAULT_COUNT];
	uint64_t validations, failed_validations;
};

struct ca {
	struct options *options;
	struct event_base *base;
	struct issuer *issuer;
	struct trust *trust;
	struct nonces *nonces;
	struct rules *rules;
	struct journal *journal;
	struct state state;
	struct ca_counts counts;
	json_t *refused; /* problem type -> how often an honest answer was that problem */
	struct server *server;
	char *url; /* https://HOST:PORT */
	struct probe_list probes;
};

/* One request, and what was found out about it. */
struct call {
	struct ca *ca;
	const struct request *http;
	enum endpoint endpoint;
	uint64_t number;  /* in the path; 0: none */
	const char *rest; /* of the path behind it, or "" */
	struct fault_set faults;
	struct answer *answer;
	json_t *header;          /* the JWS's protected one */
	json_t *payload;         /* an object; NULL: POST-as-GET or no POST */
	struct jwk *key;         /* that signed */
	struct account *account; /* NULL: signed by a key of the header */
};

/* Fills in options (owned by the caller). Listens. */
bool ca_init(struct ca *ca, struct options *options, struct event_base *base, struct err *e);
void ca_done(struct ca *ca);
/* Forgets counts, rules and log; state says whether accounts, orders and nonces too. */
void ca_reset(struct ca *ca, bool state);

/* Or NULL. */
const struct fault *call_fault(const struct call *c, enum fault_id id);
/* A member of the payload as text; "" if it is not there. */
const char *call_text(const struct call *c, const char *member);
