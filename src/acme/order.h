/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One order (RFC 8555 7.4): newOrder, authorizations side by side, ready,
 * finalize, valid, download. An explicit state machine; challenges are withdrawn
 * on every way out, cancellation included.
 *
 * Nothing already granted is asked for again. An order that turns out not to be ours (processing or
 * valid without our finalize, or a leaf of another key) is given up and a new one placed, at most 3
 * times.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/chain.h"
#include "codec/csr.h"

struct acme_solver;
struct ca;
struct op;

/* How far an authorization has got, for people who watch. */
enum acme_step {
	ACME_STEP_NONE,
	ACME_STEP_PRESENT, /* its answer is being made available */
	ACME_STEP_TELL,    /* the CA is told to look */
	ACME_STEP_VALID,
	ACME_STEP_FAILED,
	ACME_STEP_COUNT
};

struct acme_order_conf {
	const struct csr *csr;      /* borrowed until it is done or cancelled */
	const char *profile;        /* NULL: the CA's default */
	const char *replaces;       /* ARI certificate id (RFC 9773), or NULL */
	struct acme_solver *solver; /* borrowed; must outlive the order */
	int64_t deadline;           /* clock_mono_ms; the order's own expires may come earlier */
	/* Each change of state, for logs and metrics: "new-order", "authorize", ...; may be NULL.
	 */
	void (*moved)(void *arg, const char *state);
	/* The CA fetched a challenge or reported an error on one while the authorization stays
	 * pending: text for a client whose time runs out before the order's does (421 rather than
	 * 504); NULL error: none now. May be NULL. */
	void (*challenge_error)(void *arg, const struct err *e);
	/* An authorization has come to that step; name is as in the CSR. Must not cancel the order.
	 * May be NULL. */
	void (*step)(void *arg, const char *name, enum acme_step step);
};

/* chain is the callee's to free (chain_free); NULL on failure, with e. certificate_url lives during
 * the call. The chain's leaf has the CSR's key; chain_check is the caller's.
 *
 * Kinds of failure: ERR_FORBIDDEN (rejectedIdentifier, unsupportedIdentifier), ERR_BAD_CSR (badCSR,
 * badPublicKey, malformed at newOrder, unauthorized at finalize), ERR_VALIDATION (names the domain,
 * quotes the CA), ERR_RATE_LIMITED, ERR_ACCOUNT, ERR_UNREACHABLE, ERR_UPSTREAM, ERR_TIMEOUT, or
 * what the solver said. */
typedef void acme_order_done_fn(
    void *arg, struct chain *chain, const char *certificate_url, const struct err *e);
void acme_order_start(struct ca *ca, const struct acme_order_conf *conf, acme_order_done_fn *done,
    void *arg, struct op **slot);
/* The name of a state, by which orders are counted (acme/ca_stats.h). */
const char *acme_order_state_name(size_t state);
