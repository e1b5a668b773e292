/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One certificate to be had: its turn, the order, the check of what came back,
 * the store. An explicit state machine with a deadline of its own; it knows
 * nobody who waits and may well have nobody waiting.
 *
 * Begins at once, ends exactly once with `ended`, which runs on the loop and never
 * within job_new. The owner frees it then (job_free, also in `ended`).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/histogram.h"
#include "base/log.h"
#include "codec/chain.h"
#include "codec/csr.h"

struct acme_solver;
struct ca;
struct issuers;
struct job;
struct loop;
struct store;
struct store_meta;
struct store_put;
struct turns;

enum job_reason {
	JOB_REQUEST, /* someone posted the CSR */
	JOB_RENEWAL, /* in the background, from a stored CSR */
};

enum { JOB_STATES = 7 };
/* What is counted of jobs. */
struct job_stats {
	uint64_t now[JOB_STATES]; /* by state: job_state_name */
	uint64_t ordered;         /* the CA was asked */
	struct histogram issued;  /* of those: how long they lived */
	struct histogram failed;
};
const char *job_state_name(size_t state);

struct job_conf {
	struct loop *loop;
	struct ca *ca;
	struct turns *turns;
	struct acme_solver *solver;
	struct store *store;
	struct issuers *issuers;
	struct job_stats *stats; /* borrowed, as all above */
	enum job_reason reason;
	int64_t timeout_ms; /* it may live */
	/* Copied: what it is for may be gone before it ends. */
	const char *id;        /* "o17" */
	const char *key;       /* SHA-384 hex of body */
	const char *names_key; /* identifiers and profile: turns */
	const void *body;
	size_t body_len;
	const char *auth_block;
	const char *verification;
	const char *profile; /* of the auth block, or NULL */
	const char *peer;    /* who asked; NULL: nobody waits for it */
	/* Asked when its turn has come: what ran before may have shown that it is no use. */
	bool (*may_order)(void *arg, const struct job *j, struct err *e);
	void (*ended)(void *arg, struct job *j);
	void *arg;
};

struct job *job_new(const struct job_conf *conf, struct csr *csr); /* takes csr over */
void job_free(struct job *j);                                      /* NULL is fine */
/* Ends now, with e; `ended` runs before this returns. Nothing if it has ended. */
void job_abort(struct job *j, const struct err *e);

/* The same, but with a certificate that is issued and not yet given out, too: nobody gets it. */
void job_refuse(struct job *j, const struct err *e);

/* SHA-256 of the SubjectPublicKeyInfo. */
const uint8_t *job_spki_sha256(const struct job *j);
const char *job_key(const struct job *j);
const char *job_names_key(const struct job *j);
const struct log_context *job_log(const struct job *j);
/* What the CA says of a challenge that is not valid yet, or NULL. */
const struct err *job_challenge_error(const struct job *j);

/* Once it is issued: what the store is to have. Points into the job and to meta. */
void job_store_put(const struct job *j, struct store_put *put, struct store_meta *meta);

/* After the end. */
const struct chain *job_chain(const struct job *j); /* NULL: it failed, see job_error */
const struct err *job_error(const struct job *j);
bool job_ordered(const struct job *j); /* the CA was asked */
bool job_stored(const struct job *j);  /* the store has it and keeps it */
