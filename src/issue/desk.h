/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The desk of requests: what happens to one POST /sign. Authorises, looks into
 * the store, joins a running job or starts one, and answers everyone who waits.
 *
 *   desk.c         the desk itself, and its jobs
 *   desk_sign.c    the way of one request: who, what, from where
 *   desk_answer.c  how it ends
 *   desk_revoke.c  one POST /revoke
 *   job.c          the state machine of one certificate: turn, order, check, store
 *   grounds.c      what a request is dealt with, whatever is configured meanwhile
 *   turns.c        jobs with equal identifier sets, one after the other
 *   failures.c     the memory of failures
 *   failure_text.c what a client is told of one
 *   results.c      certificates nobody took yet, or that are not stored yet
 *   unstored.c     certificates the store is to be given again
 *   seen.c         names of bodies parsed before, so that a cached answer parses nothing
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acme/revoke.h"
#include "base/err.h"
#include "issue/job.h"
#include "issue/policy.h"

struct ca;
struct challenge;
struct desk;
struct loop;
struct op;
struct store;

/* What is counted at the desk. */
struct desk_stats {
	uint64_t requests;
	uint64_t cached;                 /* how they ended: with a certificate that was there */
	uint64_t issued;                 /* with a new one */
	uint64_t renewals_failed;        /* with one that is due, since no new one was had */
	uint64_t failed[ERR_KIND_COUNT]; /* ERR_CANCELLED: the client hung up */
	uint64_t cache_hits;             /* the store had it, and it was not due */
	uint64_t cache_misses;
	struct job_stats jobs;
};

struct desk_conf {
	struct ca *ca;
	const struct policy *policy;
	struct challenge *const *challenges; /* by auth_block.verification */
	size_t challenge_count;
	struct store *const *stores; /* by auth_block.store */
	size_t store_count;
	int64_t timeout_ms;       /* a request may wait */
	int64_t order_timeout_ms; /* a job may live */
	size_t max_orders;        /* jobs in flight */
};

/* Arrays are copied, the policy is borrowed; CA, challenges and stores are held. */
struct desk *desk_new(struct loop *loop, const struct desk_conf *conf);
/* From now on for every request that comes; those that are here, and every job, keep what they
 * began with. The former policy is not used any more. */
void desk_configure(struct desk *d, const struct desk_conf *conf);
/* Waiters get no completion: stop the servers first. Lets go of all it held before it returns, so
 * not from a callback. */
void desk_free(struct desk *d);

struct sign_request {
	const struct client_identity *who;
	const struct authentication *auth; /* NULL: no header */
	const void *body;                  /* copied */
	size_t body_len;
};

struct sign_result {
	const char *pem; /* NULL on failure */
	size_t pem_len;
	bool cached; /* was not issued for this request */
	const char
	    *renewal_failed; /* reason why a due certificate is returned; NULL: it is not due */
};

/* e NULL on success. result lives during the call. Logs are written by the desk: one line for each
 * event, with who, which order and names. */
typedef void sign_done_fn(void *arg, const struct sign_result *result, const struct err *e);
void desk_sign(struct desk *d, const struct sign_request *request, sign_done_fn *done, void *arg,
    struct op **slot);

struct revoke_request {
	const struct client_identity *who;
	const struct authentication *auth; /* NULL: no header */
	const void *body;                  /* a certificate in PEM, or a chain; only lent */
	size_t body_len;
	enum revoke_reason reason;
};

struct revoke_result {
	const char *serial;
	const char *names;
	bool already; /* it was revoked before */
};

/* e NULL: it is revoked, and no store or memory has it any more. result lives during the call.
 *
 * After a compromise of its key that is barred: no request gets a certificate for it any more, and
 * jobs for it fail. For a certificate that is in one of the stores this comes first, and stays
 * whatever the CA answers; for another one it comes once the CA has taken it for its own.
 *
 * Cancelled, it goes on: only the completion is dropped. */
typedef void revoke_done_fn(void *arg, const struct revoke_result *result, const struct err *e);
void desk_revoke(struct desk *d, const struct revoke_request *request, revoke_done_fn *done,
    void *arg, struct op **slot);
/* Whether anybody may. */
bool desk_revokes(const struct desk *d);

const struct desk_stats *desk_stats(const struct desk *d);
/* From now on: cached answers still, new orders ERR_BUSY. */
void desk_drain(struct desk *d);
bool desk_draining(const struct desk *d);
size_t desk_jobs(const struct desk *d);
/* idle runs once no job and no revocation is left (after this turn if it is so already). */
void desk_on_idle(struct desk *d, void (*idle)(void *arg), void *arg);
/* Every job and revocation fails now with e, waiters are answered, challenges withdrawn. */
void desk_abort(struct desk *d, const struct err *e);
/* Forgets failures (SIGHUP). */
void desk_forget_failures(struct desk *d);
