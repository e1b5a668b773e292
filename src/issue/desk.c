/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/ca.h"
#include "codec/issuers.h"
#include "base/alloc.h"
#include "challenge/challenge.h"
#include "issue/desk_private.h"
#include "issue/store.h"

enum {
	SEEN_NAMES = 8192,
	FAILURES = 2000,
	RESULTS = 1000,
	RESULT_BYTES = 16 * 1024 * 1024,
	BUSY_RETRY_S = 30,
};

/* ---- life ---- */

static void
bar_too(const void *key, size_t key_len, void *value, void *arg)
{
	struct desk *d = arg;

	map_put(d->barred, key, key_len, d);
}

void
desk_configure(struct desk *d, const struct desk_conf *conf)
{
	struct grounds *old = d->grounds;

	d->grounds = grounds_new(d->loop, conf);
	for (size_t i = 0; i < conf->store_count; i++)
		store_each_barred(conf->stores[i], bar_too, d);
	d->conf = *conf;
	d->conf.challenges = d->grounds->challenges;
	d->conf.stores = d->grounds->stores;
	if (old != NULL)
		grounds_release(old);
}

struct desk *
desk_new(struct loop *loop, const struct desk_conf *conf)
{
	struct desk *d = xcalloc(1, sizeof(*d));

	d->loop = loop;
	d->barred = map_new();
	desk_configure(d, conf);
	d->seen = seen_new(SEEN_NAMES);
	d->failures = failures_new(FAILURES);
	d->issuers = issuers_new();
	d->results = results_new(RESULTS, RESULT_BYTES);
	d->unstored = unstored_new(loop, RESULTS, RESULT_BYTES);
	d->turns = turns_new(loop);
	d->by_key = map_new();
	TAILQ_INIT(&d->jobs);
	TAILQ_INIT(&d->signs);
	TAILQ_INIT(&d->revocations);
	return d;
}

static void
drop_signs(struct signs *signs)
{
	struct sign *s;

	while ((s = TAILQ_FIRST(signs)) != NULL)
		sign_drop(s);
}

/* Off the books; who waits for it is somewhere else by now. */
static void
forget_job(struct desk *d, struct desk_job *dj)
{
	TAILQ_REMOVE(&d->jobs, dj, entry);
	if (desk_job_find(d, dj->key) == dj)
		map_remove(d->by_key, dj->key, strlen(dj->key));
	d->job_count--;
	job_free(dj->job);
	grounds_release(dj->grounds);
	free(dj->asked.key);
	free(dj->asked.names);
	free(dj->key);
	free(dj);
}

void
desk_free(struct desk *d)
{
	struct desk_job *dj;

	if (d == NULL)
		return;
	drop_signs(&d->signs);
	revocations_drop(d);
	while ((dj = TAILQ_FIRST(&d->jobs)) != NULL) {
		drop_signs(&dj->waiters);
		forget_job(d, dj);
	}
	task_cancel(&d->idle_task);
	map_free(d->by_key);
	map_free(d->barred);
	turns_free(d->turns);
	unstored_free(d->unstored);
	results_free(d->results);
	issuers_free(d->issuers);
	failures_free(d->failures);
	seen_free(d->seen);
	grounds_release(d->grounds);
	loop_settle(d->loop);
	free(d);
}

/* ---- keys ---- */

const char *
desk_profile(const struct grounds *g, const char *block_profile)
{
	const char *profile = block_profile != NULL ? block_profile : ca_profile(g->ca);

	return profile == NULL ? "" : profile;
}

/* Another CA has other orders, and another opinion. */
char *
desk_names_key(const struct grounds *g, const struct identifiers *names, const char *profile)
{
	char *set = identifiers_key(names);
	char *key =
	    xasprintf("names %s\n%s\n%s", set, ca_directory_url(g->ca), desk_profile(g, profile));

	free(set);
	return key;
}

char *
desk_body_key(const char *digest)
{
	return xasprintf("body %s", digest);
}

/* ---- the end of a job ---- */

static void
report_idle(void *arg)
{
	struct desk *d = arg;
	void (*idle)(void *arg) = d->idle;

	if (d->job_count > 0 || d->revocation_count > 0 || idle == NULL)
		return;
	d->idle = NULL;
	idle(d->idle_arg);
}

void
desk_idle_soon(struct desk *d)
{
	if (d->idle != NULL)
		task_post(d->loop, &d->idle_task, report_idle, d);
}

static bool
is_of_names(enum err_kind kind)
{
	return kind == ERR_VALIDATION || kind == ERR_FORBIDDEN || kind == ERR_RATE_LIMITED;
}

/* A name that failed is not asked for again for a while, whatever the key; a CSR the CA does not
 * like says nothing about its names, unless the CA had not seen it yet. A rate limit pauses nobody
 * else if the CA says no time: who ran into it has to wait whatever the others do. */
static void
remember_failure(struct desk *d, const struct job *j)
{
	const struct err *e = job_error(j);
	char *body_key = desk_body_key(job_key(j));

	if (job_ordered(j) && e->kind == ERR_BAD_CSR)
		failures_add(d->failures, e->of_names ? job_names_key(j) : body_key, e);
	else if (job_ordered(j) && is_of_names(e->kind))
		failures_add(d->failures, job_names_key(j), e);
	free(body_key);
}

/* While the result is kept in memory nobody needs the store; it is given what it lacks for later.
 */
static void
store_again(struct desk *d, const struct desk_job *dj)
{
	struct store_meta meta;
	struct store_put put;

	if (job_stored(dj->job)) {
		unstored_forget(d->unstored, dj->store, job_key(dj->job));
		return;
	}
	job_store_put(dj->job, &put, &meta);
	unstored_add(d->unstored, dj->store, &put, job_log(dj->job)->names);
}

static void
remember_success(struct desk *d, const struct desk_job *dj)
{
	const struct chain *chain = job_chain(dj->job);
	bool keeps = dj->store->kind->keeps;
	char *body_key = desk_body_key(job_key(dj->job));
	struct result result = {
	    .pem = chain->pem,
	    .pem_len = chain->pem_len,
	    .leaf = chain->leaf,
	    .once = !keeps,
	};

	failures_clear(d->failures, job_names_key(dj->job));
	failures_clear(d->failures, body_key);
	/* What the store has not got, and what nobody took. */
	if (keeps ? !job_stored(dj->job) : TAILQ_EMPTY(&dj->waiters))
		results_put(d->results, dj->key, &result);
	if (keeps)
		store_again(d, dj);
	free(body_key);
}

static void
answer_waiters(struct desk_job *dj)
{
	const struct chain *chain = job_chain(dj->job);
	struct sign *s;

	while ((s = TAILQ_FIRST(&dj->waiters)) != NULL) {
		if (chain != NULL) {
			if (!s->first)
				sign_audit_redelivered(s, chain->leaf.serial);
			sign_answer(s, chain->pem, chain->pem_len, false);
		} else {
			sign_audit_refused(s, dj->rule, job_error(dj->job));
			sign_fail(s, job_error(dj->job));
		}
	}
}

/* Also if nobody waits for it any more. */
static void
audit_issued(const struct desk_job *dj)
{
	audit_tell(AUDIT_ISSUED,
	    &(struct audit){
		.who = job_log(dj->job),
		.key = dj->asked.key,
		.names = dj->asked.names,
		.serial = job_chain(dj->job)->leaf.serial,
	    });
}

static void
job_ended(void *arg, struct job *j)
{
	struct desk_job *dj = arg;
	struct desk *d = dj->desk;

	if (job_chain(j) != NULL) {
		audit_issued(dj);
		remember_success(d, dj);
	} else {
		remember_failure(d, j);
	}
	/* From here on the same body is a new matter. */
	map_remove(d->by_key, dj->key, strlen(dj->key));
	answer_waiters(dj);
	forget_job(d, dj);
	desk_idle_soon(d);
}

/* ---- the start of a job ---- */

struct desk_job *
desk_job_find(struct desk *d, const char *key)
{
	return map_get(d->by_key, key, strlen(key));
}

bool
desk_may_order(struct desk *d, const struct grounds *g, const char *names_key, struct err *e)
{
	if (failures_check(d->failures, names_key, e))
		return false;
	return ca_ready(g->ca, e);
}

static bool
may_order(void *arg, const struct job *j, struct err *e)
{
	struct desk_job *dj = arg;

	dj->rule = "remembered";
	if (!desk_may_order(dj->desk, dj->grounds, job_names_key(j), e))
		return false;
	dj->rule = NULL;
	return true;
}

static bool
has_room(const struct desk *d, struct err *e)
{
	if (d->draining)
		err_set(e, ERR_BUSY, "this server is shutting down");
	else if (d->job_count >= d->conf.max_orders)
		err_set(
		    e, ERR_BUSY, "%zu orders are in flight, no more are taken on", d->job_count);
	else
		return true;
	e->retry_after = BUSY_RETRY_S;
	return false;
}

/* Takes s->csr over. NULL if there can be no job. */
struct desk_job *
desk_job_start(
    struct desk *d, struct sign *s, const char *key, const char *names_key, struct err *e)
{
	char id[32];

	if (!desk_may_order(d, s->grounds, names_key, e) || !has_room(d, e))
		return NULL;
	snprintf(id, sizeof(id), "o%llu", ++d->job_ids);

	struct desk_job *dj = xcalloc(1, sizeof(*dj));
	struct job_conf conf = {
	    .loop = d->loop,
	    .ca = s->grounds->ca,
	    .turns = d->turns,
	    .issuers = d->issuers,
	    .stats = &d->stats.jobs,
	    .solver = challenge_solver(s->challenge),
	    .store = s->store,
	    .reason = JOB_REQUEST,
	    .timeout_ms = s->grounds->order_timeout_ms,
	    .id = id,
	    .key = s->digest,
	    .names_key = names_key,
	    .body = s->body,
	    .body_len = s->body_len,
	    .auth_block = s->block,
	    .verification = s->challenge->name,
	    .profile = s->profile,
	    .peer = s->peer,
	    .may_order = may_order,
	    .ended = job_ended,
	    .arg = dj,
	};
	dj->desk = d;
	dj->grounds = grounds_hold(s->grounds);
	dj->key = xstrdup(key);
	dj->store = s->store;
	dj->asked.key = s->asked.key != NULL ? xstrdup(s->asked.key) : NULL;
	dj->asked.names = s->asked.names != NULL ? xstrdup(s->asked.names) : NULL;
	TAILQ_INIT(&dj->waiters);
	TAILQ_INSERT_TAIL(&d->jobs, dj, entry);
	map_put(d->by_key, key, strlen(key), dj);
	d->job_count++;
	dj->job = job_new(&conf, s->csr);
	s->csr = NULL;
	return dj;
}

/* ---- barred keys ---- */

static bool
refuse_key(struct err *e)
{
	return err_set(
	    e, ERR_BAD_CSR, "the key of this CSR was reported as compromised: make a new key");
}

void
desk_bar_key(struct desk *d, struct store *store, const uint8_t spki_sha256[32])
{
	struct desk_job *dj, *next;
	struct err e;

	store_bar_key(store, spki_sha256);
	map_put(d->barred, spki_sha256, 32, d);
	refuse_key(&e);
	TAILQ_FOREACH_SAFE (dj, &d->jobs, entry, next) {
		if (memcmp(job_spki_sha256(dj->job), spki_sha256, 32) != 0)
			continue;
		dj->rule = "key";
		job_refuse(dj->job, &e);
	}
}

bool
desk_takes_key(const struct desk *d, const uint8_t spki_sha256[32], struct err *e)
{
	return map_get(d->barred, spki_sha256, 32) == NULL || refuse_key(e);
}

const struct desk_stats *
desk_stats(const struct desk *d)
{
	return &d->stats;
}

/* ---- shutting down ---- */

void
desk_drain(struct desk *d)
{
	d->draining = true;
}

bool
desk_draining(const struct desk *d)
{
	return d->draining;
}

size_t
desk_jobs(const struct desk *d)
{
	return d->job_count;
}

void
desk_on_idle(struct desk *d, void (*idle)(void *arg), void *arg)
{
	d->idle = idle;
	d->idle_arg = arg;
	desk_idle_soon(d);
}

void
desk_abort(struct desk *d, const struct err *e)
{
	struct desk_job *dj;

	while ((dj = TAILQ_FIRST(&d->jobs)) != NULL)
		job_abort(dj->job, e);
	revocations_abort(d, e);
}

void
desk_forget_failures(struct desk *d)
{
	failures_forget(d->failures);
}
