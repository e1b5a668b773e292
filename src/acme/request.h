/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request to a CA (RFC 8555 section 6), from the wish to an answer that
 * counts: waits for the bucket and a nonce, signs, sends, keeps the answer's
 * nonce. Sent again, newly signed, when the nonce was bad (10 times at most), when a
 * kept connection turned out to be closed (once), and after a 429 or 503 if what
 * Retry-After says fits into the request's time (polls leave that to the poller).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acme/problem_err.h"
#include "base/err.h"

struct ca;
struct key;
struct op;

enum request_mode {
	REQUEST_SIGNED,     /* POST, with the account's URL as kid */
	REQUEST_SIGNED_JWK, /* POST, with the key itself: newAccount, revokeCert */
	REQUEST_GET,        /* the directory */
	REQUEST_HEAD,       /* newNonce */
};

struct request_conf {
	enum request_mode mode;
	enum acme_place place;
	const char *url;       /* copied; has to have the directory's scheme */
	const char *payload;   /* JSON, copied; NULL: POST-as-GET */
	const char *accept;    /* a constant, or NULL */
	const struct key *key; /* signs instead of the account's (REQUEST_SIGNED_JWK); borrowed; or
				  NULL */
	bool poll;             /* may wait behind all others; 429 and 503 are answers */
	int64_t deadline;      /* clock_mono_ms */
};

struct request_answer {
	int status;       /* 0: none */
	const char *body; /* NUL-terminated; valid during the call */
	size_t body_len;
	const char *location; /* or NULL */
	int64_t retry_after;  /* seconds; -1: none */
};

/* answer is never NULL. e is NULL if the status is 2xx; else it says where, who and why, with the
 * CA's problem type and Retry-After. */
typedef void request_done_fn(void *arg, const struct request_answer *answer, const struct err *e);
void request_start(struct ca *ca, const struct request_conf *conf, request_done_fn *done, void *arg,
    struct op **slot);
