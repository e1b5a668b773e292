/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A CA after RFC 8555 on top of fake_http, in process. It checks what a client
 * sends (method, content type, url, kid or jwk, nonce used once, challenge posted once)
 * and remembers the first violation. What it does otherwise than a plain CA is
 * a member a scenario sets; anything else goes through the two hooks.
 *
 * Signatures are not verified here: tests/unit/codec does that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_http.h"

struct fake_solver;
struct loop;

enum fake_step {
	FAKE_DIRECTORY,
	FAKE_NEW_NONCE,
	FAKE_NEW_ACCOUNT,
	FAKE_ACCOUNT,
	FAKE_NEW_ORDER,
	FAKE_ORDER,
	FAKE_AUTHORIZATION,
	FAKE_CHALLENGE,
	FAKE_FINALIZE,
	FAKE_CERTIFICATE,
	FAKE_REVOKE,
	FAKE_KEY_CHANGE,
	FAKE_STEP_COUNT
};

struct fake_ca {
	struct loop *loop;
	/* "https://ca.test"; the directory is BASE/directory. */
	char base[64];
	/* What it validates against; NULL: whatever is asked for is valid. */
	struct fake_solver *solver;

	/* -- the directory -- */
	const char *terms;    /* URL, or NULL */
	const char *profiles; /* "default,short", or NULL */
	bool binding;         /* external account required */
	bool renewal_info;    /* RFC 9773 */
	bool null_meta;       /* "meta": null */

	/* -- accounts -- */
	bool deactivated; /* newAccount says so */
	bool account_without_body;

	/* -- orders -- */
	bool reuse;      /* as Let's Encrypt: the same pending or ready order for equal names */
	bool authorized; /* authorizations are valid from the start, without challenges */
	const char *authorized_names; /* so are those of these names: ",a.test,b.test," */
	bool ready;                   /* orders are ready from the start */
	bool no_authorizations;       /* an empty list in a pending order, which becomes ready */
	bool twice_listed;            /* the first authorization stands there twice */
	bool finalize_valid;          /* finalize answers valid at once */
	bool empty_answers;           /* challenge and finalize answer 200 with no body */
	bool challenge_only;    /* a failed challenge is invalid, its authorization stays pending */
	bool challenge_retries; /* a failed challenge stays processing, with its error, and is tried
				   again */
	bool validate_in_post;  /* the challenge's answer has the result */
	bool challenge_processing; /* challenges are told already when first seen */
	const char *challenges;    /* "http-01,dns-01" */
	const char *fail;          /* validation of these names fails: ",a.test,b.test," */
	const char *fail_type;     /* with this problem type ("connection") */
	int64_t validation_ms;
	int64_t expires_s;         /* of new orders; 0: a week */
	unsigned order_polls;      /* a pending order shows ready only after that many polls */
	unsigned processing_polls; /* a finalized one valid */
	unsigned not_ready;        /* that many finalizes get orderNotReady */
	unsigned foreign;          /* that many new orders are somebody's who finalized them */
	bool foreign_valid;        /* and are valid instead of processing */
	unsigned other_key;        /* that many certificates are for another key */
	int days;                  /* lifetime of certificates */

	/* -- every answer -- */
	int retry_after[FAKE_STEP_COUNT]; /* seconds */
	bool retry_after_date;            /* as a date */
	unsigned bad_nonces;              /* that many signed requests are refused */
	bool no_nonces;                   /* only newNonce gives nonces */
	int64_t delay_ms;
	/* Instead of the answer: true if reply is filled. */
	bool (*before)(struct fake_ca *ca, enum fake_step step,
	    const struct fake_http_request *request, struct fake_http_reply *reply);
	/* The CA has done it, but the answer may be changed or lost. */
	void (*after)(struct fake_ca *ca, enum fake_step step,
	    const struct fake_http_request *request, struct fake_http_reply *reply);
	void *arg; /* for the hooks */

	/* -- what happened -- */
	unsigned count[FAKE_STEP_COUNT];
	unsigned requests;
	unsigned registrations;
	unsigned lookups;
	unsigned orders_made;
	unsigned certificates;
	unsigned revoked;
	unsigned key_changes;
	unsigned bad_nonce_answers;
	char last_payload[FAKE_STEP_COUNT][4096];
	char last_kid[256];
	char violation[256]; /* "" if none */
	struct fake_ca_state *state;
};

void fake_ca_init(struct fake_ca *ca, struct loop *loop, const char *base);
void fake_ca_done(struct fake_ca *ca);
/* All http calls go to it. To have several CAs, give fake_http_handle a handler that chooses and
 * calls fake_ca_handle. */
void fake_ca_install(struct fake_ca *ca);
void fake_ca_handle(
    void *ca, const struct fake_http_request *request, struct fake_http_reply *reply);
/* A restart that loses everything: accounts, orders, nonces. */
void fake_ca_forget(struct fake_ca *ca);
/* Every account gets another URL. */
void fake_ca_move_accounts(struct fake_ca *ca);
/* For hooks. */
void fake_ca_problem(
    struct fake_http_reply *reply, int status, const char *type, const char *detail);
