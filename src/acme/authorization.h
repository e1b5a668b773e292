/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One authorization of an order (RFC 8555 7.5): fetch, present the challenge's
 * answer, wait until the order's others have presented theirs, tell the CA once,
 * poll, withdraw. What was presented is withdrawn on every way out, cancellation
 * included.
 *
 * They wait for each other because two answers may stand at one DNS name (that of
 * a domain and its wildcard, or of names delegated to one target): a resolver that
 * has seen the first alone would not see the second until the record's ttl is over.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "acme/order.h"
#include "base/err.h"
#include "codec/identifier.h"

struct acme_solver;
struct ca;
struct op;

struct authorization_conf {
	const char *url; /* copied */
	const struct identifiers
	    *asked; /* the order's names: nothing is presented for others; borrowed */
	struct acme_solver *solver; /* borrowed */
	int64_t deadline;           /* clock_mono_ms */
	/* Its answer can be had, or none is needed. True: the CA may be told at once; false: it
	 * waits for authorization_tell. Called once, unless it ends before. */
	bool (*presented)(void *arg);
	/* The CA reported an error on the challenge but has not given up (or NULL: no error any
	 * more). */
	void (*trouble)(void *arg, const struct err *e);
	/* It has come to that step, of those before its end. */
	void (*step)(void *arg, const char *name, enum acme_step step);
};

/* e is NULL when the authorization is valid; arg is also that of
 * presented, trouble and step. A failed validation is
 * ERR_VALIDATION (or what its problem says) and begins "Validation failed for NAME: ". name is ""
 * as long as it is not known. */
typedef void authorization_done_fn(void *arg, const char *name, const struct err *e);
void authorization_start(struct ca *ca, const struct authorization_conf *conf,
    authorization_done_fn *done, void *arg, struct op **slot);

/* Lets an authorization that waits after presented go on; op is its operation. */
void authorization_tell(struct op *op);
