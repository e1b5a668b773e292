/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "acme/account.h"
#include "acme/ca_private.h"
#include "acme/order_json.h"
#include "acme/order_private.h"
#include "acme/request.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/err_slot.h"
#include "base/log.h"
#include "ev/timer.h"

enum {
	MOVES_MAX = 5000, /* hours of polling every 5 s */
	SETTLE_MS = 1000,
};

static enum order_state enter_stay(struct order *o);
static enum order_state enter_account(struct order *o);
static enum order_state enter_new(struct order *o);
static enum order_state enter_settle(struct order *o);
static enum order_state enter_wait(struct order *o);
static enum order_state enter_poll(struct order *o);
static enum order_state enter_done(struct order *o);

/* limit: milliseconds; 0: until the order's deadline. When it is over the order fails for want of
 * time, or goes to expired. */
static const struct {
	const char *name;
	int64_t limit;
	enum order_state expired;
	enum order_state (*enter)(struct order *o);
} states[] = {
    [ORDER_IDLE] = {"idle", 0, ORDER_DONE, enter_stay},
    [ORDER_ACCOUNT] = {"account", 0, ORDER_DONE, enter_account},
    [ORDER_NEW] = {"new-order", 0, ORDER_DONE, enter_new},
    [ORDER_AUTHORIZE] = {"authorize", 0, ORDER_DONE, order_enter_authorize},
    [ORDER_SETTLE] = {"settle", SETTLE_MS, ORDER_DONE, enter_settle},
    [ORDER_WAIT] = {"wait", 0, ORDER_POLL, enter_wait},
    [ORDER_POLL] = {"poll", 0, ORDER_DONE, enter_poll},
    [ORDER_FINALIZE] = {"finalize", 0, ORDER_DONE, order_enter_finalize},
    [ORDER_DOWNLOAD] = {"download", 0, ORDER_DONE, order_enter_download},
    [ORDER_DONE] = {"done", 0, ORDER_DONE, enter_done},
};
static_assert(sizeof(states) / sizeof(states[0]) == ORDER_STATE_COUNT, "one row per state");

static_assert((int)ORDER_STATE_COUNT == (int)ACME_ORDER_STATES, "each is counted");

const char *
acme_order_state_name(size_t state)
{
	return states[state].name;
}

/* Counted with the others; done is none. */
static void
order_set_state(struct order *o, enum order_state next)
{
	uint64_t *counts = o->ca->conf.stats->orders;

	if (o->state != ORDER_DONE)
		counts[o->state]--;
	if (next != ORDER_DONE)
		counts[next]++;
	o->state = next;
}

static int64_t
time_left(const struct order *o)
{
	int64_t left = o->deadline - clock_mono_ms();

	return left > 0 ? left : 0;
}

/* Ends what the old state was waiting for. */
static void
order_leave(struct order *o, enum order_state next)
{
	op_cancel(&o->step);
	timer_stop(o->timer);
	task_cancel(&o->task);
	if (next != ORDER_SETTLE)
		order_cancel_children(o);
}

static void
order_arm(struct order *o)
{
	int64_t limit = states[o->state].limit;
	int64_t left = time_left(o);

	if (o->state != ORDER_DONE)
		timer_start(o->timer, limit > 0 && limit < left ? limit : left);
}

/* The only place that changes the state. */
void
order_move(struct order *o, enum order_state next)
{
	struct err e;

	/* Cancelled by one of its own callbacks, which is still on the stack. */
	if (o->state == ORDER_DONE)
		return;
	while (next != o->state) {
		order_leave(o, next);
		if (++o->moves == MOVES_MAX) {
			err_set(&e, ERR_INTERNAL, "order: too many steps");
			err_slot_set(&o->result, &e);
			next = ORDER_DONE;
		}
		log_debug(&o->log, "order: %s -> %s", states[o->state].name, states[next].name);
		order_set_state(o, next);
		order_arm(o);
		if (o->conf.moved != NULL && next != ORDER_DONE)
			o->conf.moved(o->arg, states[next].name);
		if (o->state != next)
			return;
		next = states[next].enter(o);
	}
}

static enum order_state
enter_stay(struct order *o)
{
	return o->state;
}

/* What belongs to one order at the CA. */
static void
order_forget(struct order *o)
{
	order_cancel_children(o);
	free(o->children);
	o->children = NULL;
	o->child_count = 0;
	acme_order_object_done(&o->object);
	o->object = (struct acme_order_object){0};
	free(o->url);
	o->url = NULL;
}

void
order_reset(struct order *o)
{
	order_forget(o);
	o->authorized = false;
	o->finalized = false;
	o->finalize_lost = false;
	o->troubled = 0;
	err_slot_clear(&o->trouble);
	o->deadline = o->conf.deadline;
	poll_init(&o->poll, o->ca->loopback);
}

static void
order_timer(void *arg)
{
	struct order *o = arg;
	enum order_state next = states[o->state].expired;
	struct err e;

	if (next == ORDER_DONE && o->state != ORDER_SETTLE) {
		err_set(&e, ERR_TIMEOUT, "%s has not finished the order in time", o->ca->host);
		next = order_failed(o, &e);
	}
	order_move(o, next);
}

/* ---- what the CA says of it ---- */

static bool
order_is_ours(const struct order *o)
{
	return o->finalized || o->finalize_lost;
}

enum order_state
order_next(struct order *o)
{
	switch (o->object.status) {
	case ACME_STATUS_PENDING:
		return o->authorized ? ORDER_WAIT : ORDER_AUTHORIZE;
	case ACME_STATUS_READY:
		/* After our finalize this is an old answer of a CA that has several back ends. */
		return o->finalized ? ORDER_WAIT : ORDER_FINALIZE;
	case ACME_STATUS_PROCESSING:
		return order_is_ours(o) ? ORDER_WAIT
					: order_again(o, "it is being processed already");
	case ACME_STATUS_VALID:
		return order_is_ours(o) ? ORDER_DOWNLOAD
					: order_again(o, "it has a certificate already");
	case ACME_STATUS_UNKNOWN:
	case ACME_STATUS_INVALID:
	case ACME_STATUS_DEACTIVATED:
	case ACME_STATUS_EXPIRED:
	case ACME_STATUS_REVOKED:
		break;
	}
	return order_invalid(o);
}

bool
order_read(struct order *o, const struct request_answer *answer, struct err *e)
{
	struct acme_order_object object;

	if (!acme_order_parse(answer->body, answer->body_len, o->ca->uri.https, &object, e))
		return err_prefix(e, "order: %s", o->ca->host);
	acme_order_object_done(&o->object);
	o->object = object;
	return true;
}

/* expires in the past is a matter of clocks, not of the order. */
static void
order_limit(struct order *o)
{
	int64_t left = o->object.expires - clock_wall();

	if (o->object.expires > 0 && left > 0 && left < time_left(o) / 1000)
		o->deadline = clock_mono_ms() + left * 1000;
}

void
order_request(struct order *o, struct request_conf *conf, request_done_fn *done)
{
	conf->mode = REQUEST_SIGNED;
	conf->deadline = o->deadline;
	request_start(o->ca, conf, done, o, &o->step);
}

/* ---- account ---- */

static const char *
order_profile(const struct order *o)
{
	return o->profile != NULL ? o->profile : ca_profile(o->ca);
}

static enum order_state
order_prepared(struct order *o)
{
	const char *profile = order_profile(o);
	struct err e;

	/* What was doubted is as it was: then the CA meant the order. */
	if (o->account_doubted && o->result != NULL &&
	    o->generation == account_generation(o->ca->account))
		return ORDER_DONE;
	if (o->account_doubted)
		order_reset(o);
	err_slot_clear(&o->result);
	if (profile != NULL && !directory_offers(&o->ca->directory, profile, &e)) {
		directory_doubt(&o->ca->directory, clock_mono_ms());
		return order_failed(o, &e);
	}
	return ORDER_NEW;
}

static void
account_ready(void *arg, const struct err *e)
{
	struct order *o = arg;

	order_move(o, e != NULL ? order_failed(o, e) : order_prepared(o));
}

static enum order_state
enter_account(struct order *o)
{
	account_wait(o->ca->account, account_ready, o, &o->step);
	return ORDER_ACCOUNT;
}

/* ---- newOrder ---- */

static enum order_state
order_placed(struct order *o, const struct request_answer *answer)
{
	struct err e;

	if (!order_read(o, answer, &e))
		return order_failed(o, &e);
	if (answer->location == NULL) {
		err_set(&e, ERR_UPSTREAM, "new order: %s gave no URL for it", o->ca->host);
		return order_failed(o, &e);
	}
	o->url = xstrdup(answer->location);
	order_limit(o);
	return order_next(o);
}

static void
placed(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct order *o = arg;

	if (e == NULL) {
		order_move(o, order_placed(o, answer));
	} else if (e->problem == PROBLEM_ALREADY_REPLACED && o->replaces != NULL) {
		/* Another order was quicker to replace it; that is no reason to have none. */
		free(o->replaces);
		o->replaces = NULL;
		order_move(o, ORDER_ACCOUNT);
	} else {
		order_move(o, order_failed(o, e));
	}
}

static enum order_state
enter_new(struct order *o)
{
	const struct acme_directory *directory = &o->ca->directory.object;
	const char *replaces = directory->renewal_info != NULL ? o->replaces : NULL;
	char *payload = order_new_payload(&o->conf.csr->names, order_profile(o), replaces);
	struct request_conf conf = {
	    .place = PLACE_NEW_ORDER,
	    .url = directory->new_order,
	    .payload = payload,
	};

	o->generation = account_generation(o->ca->account);
	order_request(o, &conf, placed);
	free(payload);
	return ORDER_NEW;
}

static enum order_state
enter_settle(struct order *o)
{
	return ORDER_SETTLE;
}

/* ---- poll ---- */

static enum order_state
enter_wait(struct order *o)
{
	timer_start(o->timer, poll_next(&o->poll, time_left(o)));
	return ORDER_WAIT;
}

static void
polled(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct order *o = arg;
	struct err bad;

	if (e == NULL && !order_read(o, answer, &bad))
		e = &bad;
	if (e == NULL) {
		poll_heard(&o->poll, answer->retry_after);
		order_move(o, order_next(o));
	} else {
		order_move(o,
		    poll_forgives(&o->poll, answer->status, e) ? ORDER_WAIT : order_failed(o, e));
	}
}

static enum order_state
enter_poll(struct order *o)
{
	struct request_conf conf = {.place = PLACE_ORDER, .url = o->url, .poll = true};

	order_request(o, &conf, polled);
	return ORDER_POLL;
}

/* ---- the end ---- */

static void
order_free(void *ptr)
{
	struct order *o = ptr;

	/* The CA may be gone by now. */
	order_forget(o);
	chain_free(o->chain);
	timer_free(o->timer);
	err_slot_clear(&o->trouble);
	err_slot_clear(&o->result);
	free(o->names);
	free(o->profile);
	free(o->replaces);
	free(o);
}

/* The chain is the callee's. */
static enum order_state
enter_done(struct order *o)
{
	struct loop *loop = o->ca->loop;
	struct chain *chain = o->chain;

	o->chain = NULL;
	op_end(&o->op);
	o->done(o->arg, chain, chain != NULL ? o->object.certificate : NULL,
	    chain != NULL ? NULL : o->result);
	loop_dispose(loop, order_free, o);
	return ORDER_DONE;
}

static void
order_cancel(struct op *op)
{
	struct order *o = (struct order *)op;

	op_cancel(&o->step);
	timer_stop(o->timer);
	task_cancel(&o->task);
	order_cancel_children(o);
	order_set_state(o, ORDER_DONE);
	loop_dispose(o->ca->loop, order_free, o);
}

static void
order_begin(void *arg)
{
	order_move(arg, ORDER_ACCOUNT);
}

void
acme_order_start(struct ca *ca, const struct acme_order_conf *conf, acme_order_done_fn *done,
    void *arg, struct op **slot)
{
	struct order *o = xcalloc(1, sizeof(*o));
	char names[ORDER_NAMES_TEXT];

	o->ca = ca;
	o->ca->conf.stats->orders[ORDER_IDLE]++;
	o->conf = *conf;
	o->profile = conf->profile != NULL ? xstrdup(conf->profile) : NULL;
	o->replaces = conf->replaces != NULL ? xstrdup(conf->replaces) : NULL;
	o->done = done;
	o->arg = arg;
	o->names = xstrdup(identifiers_text(&conf->csr->names, names, sizeof(names)));
	o->log.names = o->names;
	o->timer = timer_new(ca->loop, order_timer, o);
	op_begin(&o->op, slot, order_cancel);
	order_reset(o);
	task_post(ca->loop, &o->task, order_begin, o);
}
