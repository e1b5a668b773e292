/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One authorization of an order (RFC 8555 7.5): fetch, present the challenge's
 * answer, tell the CA once, poll, withdraw. What was presented is withdrawn on
 * every way out, cancellation included.
 */
#pragma once

#include <stdint.h>

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
	/* The CA reported an error on the challenge but has not given up (or NULL: no error any
	 * more). */
	void (*trouble)(void *arg, const struct err *e);
};

/* e is NULL when the authorization is valid; arg is also trouble's. A failed validation is
 * ERR_VALIDATION (or what its problem says) and begins "Validation failed for NAME: ". name is ""
 * as long as it is not known. */
typedef void authorization_done_fn(void *arg, const char *name, const struct err *e);
void authorization_start(struct ca *ca, const struct authorization_conf *conf,
    authorization_done_fn *done, void *arg, struct op **slot);
