/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Problem documents: RFC 7807 / RFC 9457 with the ACME error types of RFC 8555
 * section 6.7 (and RFC 9773, RFC 9115's neighbours). Read with tolerance: the
 * Content-Type may be wrong and every member may be missing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "codec/json.h"

enum problem_type {
	PROBLEM_NONE = 0,
	PROBLEM_OTHER, /* a type we do not know */
	PROBLEM_ACCOUNT_DOES_NOT_EXIST,
	PROBLEM_ALREADY_REPLACED,
	PROBLEM_ALREADY_REVOKED,
	PROBLEM_BAD_CSR,
	PROBLEM_BAD_NONCE,
	PROBLEM_BAD_PUBLIC_KEY,
	PROBLEM_BAD_REVOCATION_REASON,
	PROBLEM_BAD_SIGNATURE_ALGORITHM,
	PROBLEM_CAA,
	PROBLEM_COMPOUND,
	PROBLEM_CONNECTION,
	PROBLEM_DNS,
	PROBLEM_EXTERNAL_ACCOUNT_REQUIRED,
	PROBLEM_INCORRECT_RESPONSE,
	PROBLEM_INVALID_CONTACT,
	PROBLEM_INVALID_PROFILE,
	PROBLEM_MALFORMED,
	PROBLEM_ORDER_NOT_READY,
	PROBLEM_RATE_LIMITED,
	PROBLEM_REJECTED_IDENTIFIER,
	PROBLEM_SERVER_INTERNAL,
	PROBLEM_TLS,
	PROBLEM_UNAUTHORIZED,
	PROBLEM_UNSUPPORTED_CONTACT,
	PROBLEM_UNSUPPORTED_IDENTIFIER,
	PROBLEM_USER_ACTION_REQUIRED,
	PROBLEM_TYPE_COUNT
};

enum { PROBLEM_DETAIL_MAX = 512, PROBLEM_SUB_MAX = 100 };

struct problem_sub {
	enum problem_type type;
	char identifier[256];
	char detail[PROBLEM_DETAIL_MAX];
};

struct problem {
	enum problem_type type;
	int status;                      /* 0 if not given */
	char detail[PROBLEM_DETAIL_MAX]; /* cut to size; falls back to title, then to the type's
					    text */
	char instance[512];              /* URL to act on (userActionRequired), or "" */
	struct problem_sub *subs;
	size_t sub_count;
};

/* From a JSON object (an "error" member, or a whole body). False if it is no object. */
bool problem_from_json(const struct json *object, struct problem *ret);
/* From bytes of a body. False if they are not JSON or no object. */
bool problem_parse(const char *body, size_t len, struct problem *ret);
void problem_done(struct problem *p);
/* The problem_from_json of what a member is, on the heap; NULL if it is no object. */
struct problem *problem_new(const struct json *object);
void problem_free(struct problem *p); /* NULL is fine */
/* "rateLimited" and so on, without the urn; "" for NONE and OTHER. */
const char *problem_type_name(enum problem_type type);
/* RFC 9457 object as text, for our own answers: type about:blank. The caller frees it. */
char *problem_text(int status, const char *title, const char *detail);
