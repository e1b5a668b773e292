/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an authorization needs from whoever makes a challenge answerable
 * (RFC 8555 section 8). Implemented in challenge/, one file per kind; a new kind
 * is one file and one table row there.
 *
 * Present entries are counted by their owner, since two orders may share one.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "codec/identifier.h"

struct op;
struct acme_solver;

struct acme_answer {
	const struct identifier *identifier; /* as in the authorization: without "*." */
	const char *token;                   /* checked: [A-Za-z0-9_-]+ */
	const char *key_authorization;       /* RFC 8555 8.1 */
};

/* e is NULL when the CA may be told. */
typedef void acme_presented_fn(void *arg, const struct err *e);
/* The CA has fetched the answer from us; may come several times, or never. */
typedef void acme_fetched_fn(void *arg);

struct acme_solver {
	const char *type; /* "http-01", "dns-01" */

	/* Makes the answer available; what it points to is copied. On failure nothing stays
	 * present. Has a deadline of its own. Cancelling through the slot also takes the answer
	 * away again. */
	void (*present)(struct acme_solver *solver, const struct acme_answer *answer,
	    acme_presented_fn *done, acme_fetched_fn *fetched, void *arg, struct op **slot);

	/* Takes one presentation away; arg is what present got, and its callbacks are not called
	 * any more. Never fails for the caller: the solver goes on in the background, within its
	 * own deadline, and counts what is outstanding. */
	void (*withdraw)(struct acme_solver *solver, const struct acme_answer *answer, void *arg);
};
