/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the desk's files share.
 *
 *   desk.c         the desk itself, and its jobs
 *   desk_sign.c    the way of one request: who, what, from where
 *   desk_answer.c  how it ends
 *   desk_revoke.c  revocations
 */
#pragma once

#include "base/log.h"
#include "base/map.h"
#include "base/queue.h"
#include "codec/chain.h"
#include "codec/csr.h"
#include "codec/digest.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "issue/audit.h"
#include "issue/desk.h"
#include "issue/failures.h"
#include "issue/grounds.h"
#include "issue/job.h"
#include "issue/results.h"
#include "issue/seen.h"
#include "issue/turns.h"
#include "issue/unstored.h"

struct timer;

enum { SIGN_NAMES_SHOWN = 256 };

TAILQ_HEAD(signs, sign);

/* What an audit line says beside the log's context. */
struct asked {
	char *key;   /* which HMAC key admitted; NULL: none */
	char *names; /* all of them; NULL: those of the log's context are */
};

/* A job, and those who wait for it. */
struct desk_job {
	TAILQ_ENTRY(desk_job) entry;
	struct desk *desk;
	struct job *job;
	struct grounds *grounds;
	char *key; /* body, store, CA and profile: who asks for the same waits for it */
	struct store *store;
	struct signs waiters;
	struct asked asked; /* by who asked first */
	const char *rule;   /* that makes it fail; NULL: the CA's */
};

struct desk {
	struct loop *loop;
	struct desk_conf conf; /* the current one; its arrays are those of grounds */
	struct grounds *grounds;
	struct desk_stats stats;
	struct seen *seen;
	struct failures *failures;
	struct results *results;
	struct unstored *unstored;
	struct turns *turns;
	struct issuers *issuers;
	struct map *by_key; /* key -> struct desk_job */
	struct map *barred; /* SHA-256 of keys: of all stores there ever were */
	TAILQ_HEAD(, desk_job) jobs;
	size_t job_count;
	unsigned long long job_ids;
	struct signs signs; /* those that wait for no job (yet) */
	TAILQ_HEAD(, revocation) revocations;
	size_t revocation_count;
	bool draining;
	void (*idle)(void *arg);
	void *idle_arg;
	struct task idle_task;
};

/* A certificate from the store that is due, but better than none. */
struct due {
	char *pem; /* NULL: there is none */
	size_t pem_len;
	int64_t not_after;
	char serial[SERIAL_HEX];
};

/* One request, from desk_sign to its completion. */
struct sign {
	struct op op; /* first */
	TAILQ_ENTRY(sign) entry;
	struct desk *desk;
	struct grounds *grounds;
	struct desk_job *job; /* on its list; NULL: on the desk's */
	sign_done_fn *done;
	void *arg;
	struct task task;    /* what comes after this turn */
	struct timer *timer; /* the request's own time */
	struct op *lookup;
	struct err *error; /* what comes after this turn ends it with */
	/* What it asks for. */
	char digest[SHA384_HEX];
	void *body;
	size_t body_len;
	struct csr *csr; /* NULL: not parsed, it was seen before */
	/* What the auth block gives. */
	struct store *store;
	struct challenge *challenge;
	char *block;
	char *profile; /* NULL: the CA's */
	struct due due;
	/* Who, for the log. */
	char *peer;
	char *names;
	struct log_context log;
	struct asked asked;
	const char *rule; /* that is being applied */
	bool first;       /* the job began with it */
};

/* desk.c */
/* As ordered; "" is none. */
const char *desk_profile(const struct grounds *g, const char *block_profile);
struct desk_job *desk_job_find(struct desk *d, const char *key);
/* Whether another order may be made; not for names that failed, nor with a CA that is down. */
bool desk_may_order(struct desk *d, const struct grounds *g, const char *names_key, struct err *e);
struct desk_job *desk_job_start(
    struct desk *d, struct sign *s, const char *key, const char *names_key, struct err *e);
/* The keys of the memories; the caller frees them. */
char *desk_names_key(const struct grounds *g, const struct identifiers *names, const char *profile);
char *desk_body_key(const char *digest);

/* From now on the key is barred, by store also after a restart, and jobs for it fail. */
void desk_bar_key(struct desk *d, struct store *store, const uint8_t spki_sha256[32]);
/* False with ERR_BAD_CSR if it is barred, also by a store that a reload has dropped. */
bool desk_takes_key(const struct desk *d, const uint8_t spki_sha256[32], struct err *e);
/* A job or a revocation has ended: perhaps it was the last. */
void desk_idle_soon(struct desk *d);

/* desk_revoke.c */
void revocations_drop(struct desk *d); /* no completions */
void revocations_abort(struct desk *d, const struct err *e);

/* desk_sign.c */
void sign_join(struct sign *s, struct desk_job *job);

/* desk_answer.c: each ends the request. */
void sign_answer(struct sign *s, const char *pem, size_t pem_len, bool cached);
/* The audit lines: it gets a certificate that was issued before, or for who asked first; or none,
 * because of e: rule NULL is the CA's. */
void sign_audit_redelivered(const struct sign *s, const char *serial);
void sign_audit_refused(const struct sign *s, const char *rule, const struct err *e);
/* Whether the certificate that is due is given out rather than e. */
bool sign_has_stand_in(const struct sign *s, const struct err *e);
/* The certificate with this serial is no longer better than none. */
void signs_forget_due(struct desk *d, const char *serial);
/* With that certificate, or with e; logs the former only. */
void sign_fail(struct sign *s, const struct err *e);
/* No completion. */
void sign_drop(struct sign *s);
/* Its time is over. */
void sign_timed_out(void *arg);
