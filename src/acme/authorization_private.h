/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an authorization is made of, for its own files: authorization.c (the states) and
 * authorization_says.c (what the CA says of it). */
#pragma once

#include <stdbool.h>

#include "acme/authorization.h"
#include "acme/poll.h"
#include "codec/acme_json.h"
#include "ev/op.h"

struct request_answer;
struct timer;

enum authorization_state {
	AUTHORIZATION_IDLE,
	AUTHORIZATION_FETCH,
	AUTHORIZATION_PRESENT,
	AUTHORIZATION_GATHER,
	AUTHORIZATION_TELL,
	AUTHORIZATION_WAIT,
	AUTHORIZATION_POLL,
	AUTHORIZATION_WITHDRAW,
	AUTHORIZATION_DONE,
	AUTHORIZATION_STATE_COUNT
};

struct authorization {
	struct op op;
	struct ca *ca;
	struct authorization_conf conf;
	char *url;
	authorization_done_fn *done;
	void *arg;
	enum authorization_state state;
	unsigned moves;
	struct op *step;
	struct timer *timer;
	struct poll poll;
	enum identifier_kind kind;
	char *name; /* for people: with "*." for a wildcard; NULL: not known yet */
	struct acme_challenge_object challenge; /* ours, as first seen */
	char *key_authorization;                /* of what is presented */
	bool presented;
	bool hurry;          /* the CA asked our listener while we were asking it */
	struct err *refused; /* the CA did not take our word that the answer is there */
	struct err *trouble; /* the CA's last word on the challenge, as long as it is pending */
	struct err *result;  /* why it failed */
};

/* authorization_says.c. The object is the caller's; what it is for is noted. ERR_UPSTREAM. */
bool authorization_read(struct authorization *a, const struct request_answer *answer,
    struct acme_authorization_object *ret, struct err *e);
/* The name, "" as long as it is not known. */
const char *authorization_name(const struct authorization *a);
/* Without "*.". Its name is known. */
void authorization_identifier(const struct authorization *a, struct identifier *ret);
/* The challenge of the solver's kind, or NULL. */
const struct acme_challenge_object *authorization_challenge(
    const struct authorization *a, const struct acme_authorization_object *seen);
/* Whether the order asked for its name at all. ERR_UPSTREAM. */
bool authorization_asked_for(const struct authorization *a, struct err *e);
/* Why it failed; c may be NULL. */
void authorization_validation_err(
    const struct authorization *a, const struct acme_challenge_object *c, struct err *e);
void authorization_invalid_err(
    const struct authorization *a, const struct acme_authorization_object *seen, struct err *e);
void authorization_no_challenge_err(
    const struct authorization *a, const struct acme_authorization_object *seen, struct err *e);
/* The challenge has an error while it is pending, or none any more: tells the order. */
void authorization_trouble(struct authorization *a, const struct acme_challenge_object *c);
