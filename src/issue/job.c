/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/job.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/ca.h"
#include "acme/order.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/err_slot.h"
#include "codec/date.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"
#include "issue/failure_text.h"
#include "issue/store.h"
#include "issue/turns.h"

enum {
	MOVES_MAX = 20, /* the longest way has five */
	NAMES_SHOWN = 256,
};

enum job_state { NEW, TURN, ORDER, CHECK, STORE, DONE, FAILED, STATE_COUNT };

struct job {
	struct job_conf conf; /* its strings are owned */
	enum job_state state;
	unsigned moves;
	struct op *op; /* what the state waits for */
	struct timer *timer;
	struct turn *turn; /* held during ORDER */
	int64_t started;
	int64_t deadline;
	struct csr *csr;
	struct chain *chain;
	char *certificate_url;
	bool ordered;
	bool stored;
	struct err *error;
	struct err *challenge_error;
	struct log_context log;
	char *names; /* for the log */
};

static enum job_state enter_turn(struct job *j);
static enum job_state enter_order(struct job *j);
static enum job_state enter_check(struct job *j);
static enum job_state enter_store(struct job *j);
static enum job_state enter_done(struct job *j);
static enum job_state enter_failed(struct job *j);

/* ms 0: until the job's deadline and grace_ms more. */
static const struct {
	const char *name;
	int64_t ms;
	int64_t grace_ms;
	enum job_state (*enter)(struct job *j);
} states[] = {
    [NEW] = {.name = "new"},
    [TURN] = {.name = "turn", .enter = enter_turn},
    /* The order has the same deadline and knows best what it was waiting for. */
    [ORDER] = {.name = "order", .grace_ms = 2000, .enter = enter_order},
    [CHECK] = {.name = "check", .ms = 1000, .enter = enter_check},
    [STORE] = {.name = "store", .ms = 30 * 1000, .enter = enter_store},
    [DONE] = {.name = "done", .enter = enter_done},
    [FAILED] = {.name = "failed", .enter = enter_failed},
};
static_assert(sizeof(states) / sizeof(states[0]) == STATE_COUNT, "a row for each state");

static_assert((int)JOB_STATES == (int)STATE_COUNT, "each is counted");

const char *
job_state_name(size_t state)
{
	return states[state].name;
}

static bool
is_over(const struct job *j)
{
	return j->state == DONE || j->state == FAILED;
}

/* Everyone else gets at the names after ORDER: the CA has no pending order for them any more. */
static void
leave(struct job *j)
{
	op_cancel(&j->op);
	timer_stop(j->timer);
	if (j->state == ORDER) {
		turn_release(j->turn);
		j->turn = NULL;
	}
}

static void
arm(struct job *j)
{
	int64_t ms = states[j->state].ms;

	if (is_over(j))
		return;
	if (ms == 0)
		ms = j->deadline - clock_mono_ms() + states[j->state].grace_ms;
	timer_start(j->timer, ms > 0 ? ms : 0);
}

static enum job_state
failed(struct job *j, const struct err *e)
{
	err_slot_set(&j->error, e);
	return FAILED;
}

/* Counted with the others, as long as it is not over. */
static void
set_state(struct job *j, enum job_state next)
{
	uint64_t *now = j->conf.stats->now;

	if (!is_over(j))
		now[j->state]--;
	j->state = next;
	if (!is_over(j))
		now[next]++;
}

/* The one door between states. */
static void
move(struct job *j, enum job_state next)
{
	struct err e;

	while (next != j->state && !is_over(j)) {
		if (++j->moves > MOVES_MAX && next != FAILED) {
			err_set(&e, ERR_INTERNAL, "the job spins between its states");
			next = failed(j, &e);
		}
		log_debug(&j->log, "%s -> %s", states[j->state].name, states[next].name);
		leave(j);
		set_state(j, next);
		arm(j);
		next = states[next].enter(j);
	}
}

/* ---- turn: alone with these identifiers ---- */

static void
turn_came(void *arg, struct turn *turn)
{
	struct job *j = arg;
	struct err e;

	if (j->conf.may_order(j->conf.arg, j, &e)) {
		j->turn = turn;
		move(j, ORDER);
	} else {
		turn_release(turn);
		move(j, failed(j, &e));
	}
}

static enum job_state
enter_turn(struct job *j)
{
	turns_wait(j->conf.turns, j->conf.names_key, turn_came, j, &j->op);
	return TURN;
}

/* ---- order: the CA's part ---- */

static void
order_moved(void *arg, const char *state)
{
	const struct job *j = arg;

	log_debug(&j->log, "order: %s", state);
}

static void
order_challenge_error(void *arg, const struct err *e)
{
	struct job *j = arg;

	err_slot_set(&j->challenge_error, e);
	if (e != NULL)
		log_debug(&j->log, "challenge: %s", e->detail);
}

static void
order_done(void *arg, struct chain *chain, const char *certificate_url, const struct err *e)
{
	struct job *j = arg;

	if (chain == NULL) {
		move(j, failed(j, e));
		return;
	}
	j->chain = chain;
	j->certificate_url = certificate_url == NULL ? NULL : xstrdup(certificate_url);
	move(j, CHECK);
}

static enum job_state
enter_order(struct job *j)
{
	struct acme_order_conf conf = {
	    .csr = j->csr,
	    .profile = j->conf.profile,
	    .solver = j->conf.solver,
	    .deadline = j->deadline,
	    .moved = order_moved,
	    .challenge_error = order_challenge_error,
	};

	j->ordered = true;
	j->conf.stats->ordered++;
	acme_order_start(j->conf.ca, &conf, order_done, j, &j->op);
	return ORDER;
}

/* ---- check: nobody gets what is not asked for ---- */

static enum job_state
enter_check(struct job *j)
{
	bool early = false;
	struct err e;

	if (!chain_check(j->chain, j->csr, j->conf.issuers, clock_wall(), &early, &e)) {
		e.kind = ERR_UPSTREAM;
		err_prefix(&e, "what the CA issued is not what was asked for");
		return failed(j, &e);
	}
	if (early)
		log_warning(
		    &j->log, "the certificate is not valid yet: check this machine's clock");
	return STORE;
}

/* ---- store: durable before anyone gets it, unless that fails ---- */

static void
stored(void *arg, const struct err *e)
{
	struct job *j = arg;

	j->stored = e == NULL;
	if (e != NULL)
		log_error(&j->log,
		    "the certificate could not be stored in \"%s\", but is given out: %s",
		    j->conf.store->name, e->detail);
	move(j, DONE);
}

void
job_store_put(const struct job *j, struct store_put *put, struct store_meta *meta)
{
	const char *profile = j->conf.profile;

	*meta = (struct store_meta){
	    .directory_url = ca_directory_url(j->conf.ca),
	    .account_url = ca_account_url(j->conf.ca),
	    .profile = profile != NULL ? profile : ca_profile(j->conf.ca),
	    .auth_block = j->conf.auth_block,
	    .verification = j->conf.verification,
	    .certificate_url = j->certificate_url,
	    .names = &j->csr->names,
	    .leaf = j->chain->leaf,
	    .issued = clock_wall(),
	    .fetched = j->conf.peer == NULL ? 0 : clock_wall(),
	    .peer = j->conf.peer,
	};
	*put = (struct store_put){
	    .key = j->conf.key,
	    .body = j->conf.body,
	    .body_len = j->conf.body_len,
	    .pem = j->chain->pem,
	    .pem_len = j->chain->pem_len,
	    .meta = meta,
	};
}

static enum job_state
enter_store(struct job *j)
{
	struct store_meta meta;
	struct store_put put;

	if (!j->conf.store->kind->keeps)
		return DONE;
	job_store_put(j, &put, &meta);
	j->conf.store->kind->put(j->conf.store, &put, stored, j, &j->op);
	return STORE;
}

/* ---- ends ---- */

static enum job_state
enter_done(struct job *j)
{
	char until[DATE_TEXT];

	histogram_add(&j->conf.stats->issued, clock_mono_ms() - j->started);
	log_info(&j->log, "issued: serial %s by %s, valid until %s, after %.1f s",
	    j->chain->leaf.serial, j->chain->leaf.issuer,
	    date_format_rfc3339(j->chain->leaf.not_after, until),
	    (double)(clock_mono_ms() - j->started) / 1000);
	j->conf.ended(j->conf.arg, j);
	return DONE;
}

static enum job_state
enter_failed(struct job *j)
{
	const struct err *e = j->error;

	chain_free(j->chain);
	j->chain = NULL;
	if (j->ordered)
		histogram_add(&j->conf.stats->failed, clock_mono_ms() - j->started);
	log_write(failure_log_level(e), &j->log, "failed (%s) after %.1f s%s%s",
	    err_kind_name(e->kind), (double)(clock_mono_ms() - j->started) / 1000,
	    e->told ? "" : ": ", e->told ? "" : e->detail);
	j->conf.ended(j->conf.arg, j);
	return FAILED;
}

static void
too_late(void *arg)
{
	struct job *j = arg;
	struct err e;

	err_set(&e, ERR_TIMEOUT, "not issued within order-timeout (%lld s)",
	    (long long)(j->conf.timeout_ms / 1000));
	if (j->state == STORE) {
		stored(j, &e);
		return;
	}
	move(j, failed(j, &e));
}

void
job_abort(struct job *j, const struct err *e)
{
	/* What is issued is worth more than a reason to give up, and put goes on by itself. */
	if (j->state == STORE)
		move(j, DONE);
	else if (!is_over(j))
		move(j, failed(j, e));
}

void
job_refuse(struct job *j, const struct err *e)
{
	if (!is_over(j))
		move(j, failed(j, e));
}

/* ---- life ---- */

static void
own_strings(struct job_conf *conf)
{
	conf->id = xstrdup(conf->id);
	conf->key = xstrdup(conf->key);
	conf->names_key = xstrdup(conf->names_key);
	conf->body = xmemdup(conf->body, conf->body_len);
	conf->auth_block = xstrdup(conf->auth_block);
	conf->verification = xstrdup(conf->verification);
	conf->profile = conf->profile == NULL ? NULL : xstrdup(conf->profile);
	conf->peer = conf->peer == NULL ? NULL : xstrdup(conf->peer);
}

static void
free_strings(struct job_conf *conf)
{
	free((void *)conf->id);
	free((void *)conf->key);
	free((void *)conf->names_key);
	free((void *)conf->body);
	free((void *)conf->auth_block);
	free((void *)conf->verification);
	free((void *)conf->profile);
	free((void *)conf->peer);
}

struct job *
job_new(const struct job_conf *conf, struct csr *csr)
{
	struct job *j = xcalloc(1, sizeof(*j));
	char names[NAMES_SHOWN];

	j->conf = *conf;
	own_strings(&j->conf);
	j->conf.stats->now[NEW]++;
	j->csr = csr;
	j->timer = timer_new(conf->loop, too_late, j);
	j->started = clock_mono_ms();
	j->deadline = j->started + conf->timeout_ms;
	j->names = xstrdup(identifiers_text(&csr->names, names, sizeof(names)));
	j->log = (struct log_context){
	    .peer = j->conf.peer, /* who asked first */
	    .order = j->conf.id,
	    .names = j->names,
	    .block = j->conf.auth_block,
	};
	move(j, TURN);
	return j;
}

static void
free_now(void *arg)
{
	struct job *j = arg;

	timer_free(j->timer);
	chain_free(j->chain);
	csr_free(j->csr);
	free(j->certificate_url);
	free(j->names);
	err_slot_clear(&j->error);
	err_slot_clear(&j->challenge_error);
	free_strings(&j->conf);
	free(j);
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	leave(j);
	set_state(j, FAILED);
	loop_dispose(j->conf.loop, free_now, j);
}

/* ---- what is known of it ---- */

const uint8_t *
job_spki_sha256(const struct job *j)
{
	return j->csr->spki_sha256;
}

const char *
job_key(const struct job *j)
{
	return j->conf.key;
}

const char *
job_names_key(const struct job *j)
{
	return j->conf.names_key;
}

const struct log_context *
job_log(const struct job *j)
{
	return &j->log;
}

const struct err *
job_challenge_error(const struct job *j)
{
	return j->challenge_error;
}

const struct chain *
job_chain(const struct job *j)
{
	return j->chain;
}

const struct err *
job_error(const struct job *j)
{
	return j->error;
}

bool
job_ordered(const struct job *j)
{
	return j->ordered;
}

bool
job_stored(const struct job *j)
{
	return j->stored;
}
