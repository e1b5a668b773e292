/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The faults: one table of what can go wrong, where, with which parameters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/err.h"
#include "endpoint.h"

struct answer;

enum fault_id {
	FAULT_STATUS,
	FAULT_PROBLEM,
	FAULT_BUSY,
	FAULT_BAD_NONCE,
	FAULT_HTML,
	FAULT_EMPTY,
	FAULT_HUGE,
	FAULT_NESTED,
	FAULT_GARBAGE,
	FAULT_JSON,
	FAULT_CUT_JSON,
	FAULT_NUL,
	FAULT_CONTENT_TYPE,
	FAULT_HEADER,
	FAULT_NO_HEADER,
	FAULT_NO_NONCE,
	FAULT_USED_NONCE,
	FAULT_DELAY,
	FAULT_SLOW_HEAD,
	FAULT_SLOW_BODY,
	FAULT_SILENCE,
	FAULT_RESET,
	FAULT_CLOSE,
	FAULT_INTERIM,
	FAULT_CHUNKED,
	FAULT_BAD_CHUNK,
	FAULT_UNFRAMED,
	FAULT_LENGTH,
	FAULT_TWICE,
	FAULT_HUGE_HEAD,
	FAULT_NOT_HTTP,
	FAULT_TLS,
	FAULT_REFUSE,
	FAULT_MUTE,
	FAULT_REUSE_ORDER,
	FAULT_AUTHZ_VALID,
	FAULT_AUTHZ_INVALID,
	FAULT_NO_AUTHORIZATIONS,
	FAULT_CHALLENGES,
	FAULT_STAYS_PENDING,
	FAULT_CHALLENGE_INVALID,
	FAULT_CHALLENGE_NEVER,
	FAULT_CHALLENGE_CONFLICT,
	FAULT_PROCESSING,
	FAULT_LATE_INVALID,
	FAULT_WRONG_KEY,
	FAULT_WRONG_NAMES,
	FAULT_EXPIRED,
	FAULT_NOT_YET,
	FAULT_CHAIN,
	FAULT_COUNT
};

/* When it acts. */
enum fault_stage {
	FAULT_INSTEAD, /* of processing: the request changes nothing */
	FAULT_AFTER,   /* on the honest answer */
	FAULT_INSIDE,  /* the code of the endpoint looks for it */
};

struct fault;

/* Types of parameters: n number from 0 on, i any number, s string, b boolean, l list, a anything,
 * =a|b|c one of these strings. */
struct fault_kind {
	const char *name;
	const char *group;
	enum fault_stage stage;
	const char *endpoints; /* names, blank separated; NULL: every request */
	const char *params;    /* name:type; see below */
	const char *summary;
	const char *examples; /* a JSON list of parameter objects, each worth trying */
	void (*apply)(const struct fault *f, struct answer *a); /* NULL: FAULT_INSIDE */
};

struct fault {
	enum fault_id id;
	const struct fault_kind *kind;
	json_t *params; /* owned: the whole object, "name" included */
};

/* The object of a rule, for an endpoint. */
bool fault_parse(struct fault *f, const json_t *object, enum endpoint e, struct err *err);
void fault_done(struct fault *f);
long fault_number(const struct fault *f, const char *param, long otherwise);
const char *fault_string(const struct fault *f, const char *param, const char *otherwise);
bool fault_flag(const struct fault *f, const char *param);
/* Everything: [{"name":..., "group":..., "endpoints":[...], "examples":[...]}]. */
json_t *fault_list(void);

/* fault_table.c */
extern const struct fault_kind fault_kinds[FAULT_COUNT];
