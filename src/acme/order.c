/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "acme/account.h"
#include "acme/authorization.h"
#include "acme/ca_private.h"
#include "acme/order_json.h"
#include "acme/poll.h"
#include "acme/request.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/acme_json.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"

enum {
	MOVES_MAX = 2000,
	AGAIN_MAX = 3, /* orders that were not ours */
	SETTLE_MS = 1000,
	NAMES_TEXT = 200,
	DETAILS_MAX = 700, /* of several failures; further ones are only named */
};

enum order_state {
	ORDER_IDLE,
	ORDER_ACCOUNT,   /* account and directory are in order */
	ORDER_NEW,       /* newOrder */
	ORDER_AUTHORIZE, /* the authorizations, side by side */
	ORDER_SETTLE,    /* one failed: others may report theirs for a moment */
	ORDER_WAIT,
	ORDER_POLL,
	ORDER_FINALIZE,
	ORDER_DOWNLOAD,
	ORDER_DONE,
	ORDER_STATE_COUNT
};

struct child {
	struct order *order;
	struct op *op;
	bool trouble;
};

struct order {
	struct op op;
	struct ca *ca;
	struct acme_order_conf conf;
	struct csr csr;
	char *profile;
	char *replaces;
	acme_order_done_fn *done;
	void *arg;
	char names[NAMES_TEXT]; /* for logs */
	struct log_context log;

	enum order_state state;
	unsigned moves;
	struct op *step;
	struct timer *timer;
	struct task task;
	int64_t deadline; /* conf's, or what the order's expires says */
	struct poll poll;

	/* What the CA gave us. */
	char *url;
	struct acme_order_object object;
	struct child *children;
	size_t child_count;
	size_t running;
	bool authorized; /* every authorization is valid */
	bool finalized;  /* by us */

	unsigned again;
	unsigned generation;  /* of the account that placed it */
	bool account_doubted; /* one more try after an account error */
	struct err trouble;   /* the last word of the CA on a challenge that is still pending */
	size_t troubled;      /* children it holds for */
	struct err result;
	struct chain *chain;
};

static enum order_state enter_stay(struct order *o);
static enum order_state enter_account(struct order *o);
static enum order_state enter_new(struct order *o);
static enum order_state enter_authorize(struct order *o);
static enum order_state enter_settle(struct order *o);
static enum order_state enter_wait(struct order *o);
static enum order_state enter_poll(struct order *o);
static enum order_state enter_finalize(struct order *o);
static enum order_state enter_download(struct order *o);
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
    [ORDER_AUTHORIZE] = {"authorize", 0, ORDER_DONE, enter_authorize},
    [ORDER_SETTLE] = {"settle", SETTLE_MS, ORDER_DONE, enter_settle},
    [ORDER_WAIT] = {"wait", 0, ORDER_POLL, enter_wait},
    [ORDER_POLL] = {"poll", 0, ORDER_DONE, enter_poll},
    [ORDER_FINALIZE] = {"finalize", 0, ORDER_DONE, enter_finalize},
    [ORDER_DOWNLOAD] = {"download", 0, ORDER_DONE, enter_download},
    [ORDER_DONE] = {"done", 0, ORDER_DONE, enter_done},
};
static_assert(sizeof(states) / sizeof(states[0]) == ORDER_STATE_COUNT, "one row per state");

static int64_t
time_left(const struct order *o)
{
	int64_t left = o->deadline - clock_mono_ms();

	return left > 0 ? left : 0;
}

static void
children_cancel(struct order *o)
{
	for (size_t i = 0; i < o->child_count; i++)
		op_cancel(&o->children[i].op);
	o->running = 0;
}

/* Ends what the old state was waiting for. */
static void
order_leave(struct order *o, enum order_state next)
{
	op_cancel(&o->step);
	timer_stop(o->timer);
	if (next != ORDER_SETTLE)
		children_cancel(o);
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
static void
order_move(struct order *o, enum order_state next)
{
	/* Cancelled by one of its own callbacks, which is still on the stack. */
	if (o->state == ORDER_DONE)
		return;
	while (next != o->state) {
		order_leave(o, next);
		if (++o->moves == MOVES_MAX) {
			err_set(&o->result, ERR_INTERNAL, "order: too many steps");
			next = ORDER_DONE;
		}
		log_debug(&o->log, "order: %s -> %s", states[o->state].name, states[next].name);
		o->state = next;
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
	children_cancel(o);
	free(o->children);
	o->children = NULL;
	o->child_count = 0;
	acme_order_object_done(&o->object);
	o->object = (struct acme_order_object){0};
	free(o->url);
	o->url = NULL;
}

static void
order_reset(struct order *o)
{
	order_forget(o);
	o->authorized = false;
	o->finalized = false;
	o->troubled = 0;
	err_clear(&o->trouble);
	o->deadline = o->conf.deadline;
	poll_init(&o->poll, o->ca->loopback);
}

/* ---- failures ---- */

/* The account may have gone (a test CA that was restarted, a purge): it is looked after, and if
 * that changes anything the order is placed once more. */
static bool
order_doubts_account(struct order *o, const struct err *e)
{
	bool malformed = o->state == ORDER_NEW && e->problem == PROBLEM_MALFORMED;

	if (o->account_doubted || o->finalized || o->state == ORDER_ACCOUNT)
		return false;
	return malformed || (e->kind == ERR_ACCOUNT && e->problem != PROBLEM_NONE);
}

static enum order_state
order_failed(struct order *o, const struct err *e)
{
	bool silent = e->kind == ERR_TIMEOUT && o->trouble.kind != ERR_NONE;

	o->result = silent ? o->trouble : *e;
	if (!order_doubts_account(o, e))
		return ORDER_DONE;
	o->account_doubted = true;
	return ORDER_ACCOUNT;
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

/* Not ours: somebody else finalized it. */
static enum order_state
order_again(struct order *o, const char *why)
{
	struct err e;

	if (o->again++ < AGAIN_MAX) {
		log_debug(&o->log, "order given up: %s", why);
		order_reset(o);
		return ORDER_ACCOUNT;
	}
	err_set(
	    &e, ERR_UPSTREAM, "%s keeps giving us an order that is not ours: %s", o->ca->host, why);
	return order_failed(o, &e);
}

static enum order_state
order_invalid(struct order *o)
{
	struct err e;

	if (o->object.has_error)
		problem_err(&o->object.error, PLACE_ISSUANCE, o->ca->host, &e);
	else
		err_set(&e, ERR_UPSTREAM, "%s says it is %s and gives no reason", o->ca->host,
		    acme_status_name(o->object.status));
	err_prefix(&e, "order");
	return order_failed(o, &e);
}

/* ---- what the CA says of it ---- */

static enum order_state
order_next(struct order *o)
{
	switch (o->object.status) {
	case ACME_STATUS_PENDING:
		return o->authorized ? ORDER_WAIT : ORDER_AUTHORIZE;
	case ACME_STATUS_READY:
		/* After our finalize this is an old answer of a CA that has several back ends. */
		return o->finalized ? ORDER_WAIT : ORDER_FINALIZE;
	case ACME_STATUS_PROCESSING:
		return o->finalized ? ORDER_WAIT : order_again(o, "it is being processed already");
	case ACME_STATUS_VALID:
		return o->finalized ? ORDER_DOWNLOAD
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

static bool
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

static void
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
	if (o->account_doubted && o->result.kind != ERR_NONE &&
	    o->generation == account_generation(o->ca->account))
		return ORDER_DONE;
	if (o->account_doubted)
		order_reset(o);
	err_clear(&o->result);
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
	order_arm(o);
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
	char *payload = order_new_payload(&o->csr.names, order_profile(o), replaces);
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

/* ---- authorizations ---- */

/* Several failures become one: the worst kind counts, each name is listed while there is room. */
static void
order_collect(struct order *o, const char *name, const struct err *e)
{
	struct err *r = &o->result;
	struct err both;
	bool room = strlen(r->detail) + strlen(e->detail) < DETAILS_MAX;
	enum err_kind kind;

	if (r->kind == ERR_NONE) {
		*r = *e;
		return;
	}
	kind = err_kind_worse(r->kind, e->kind);
	err_set(&both, kind, "%s; %s", r->detail, room || name[0] == '\0' ? e->detail : name);
	both.problem = kind == r->kind ? r->problem : e->problem;
	both.retry_after = r->retry_after > e->retry_after ? r->retry_after : e->retry_after;
	*r = both;
}

/* Others of this order may fail for the same reason within moments: better told all at once. */
static bool
worth_settling(const struct order *o, const struct err *e)
{
	return o->running > 0 && (e->kind == ERR_VALIDATION || e->kind == ERR_FORBIDDEN);
}

static enum order_state
order_child_failed(struct order *o, const char *name, const struct err *e)
{
	if (o->state == ORDER_AUTHORIZE && !worth_settling(o, e))
		return order_failed(o, e);
	order_collect(o, name, e);
	return o->running > 0 ? ORDER_SETTLE : ORDER_DONE;
}

static void order_trouble(void *arg, const struct err *e);

static void
authorized(void *arg, const char *name, const struct err *e)
{
	struct child *c = arg;
	struct order *o = c->order;

	o->running--;
	if (e == NULL)
		order_trouble(c, NULL);
	if (o->state == ORDER_DONE)
		return;
	if (e != NULL) {
		order_move(o, order_child_failed(o, name, e));
	} else if (o->running == 0) {
		o->authorized = o->state == ORDER_AUTHORIZE;
		order_move(o, o->authorized ? ORDER_POLL : ORDER_DONE);
	}
}

static void
order_trouble(void *arg, const struct err *e)
{
	struct child *c = arg;
	struct order *o = c->order;
	bool before = o->troubled > 0;

	o->troubled -= c->trouble;
	c->trouble = e != NULL;
	o->troubled += c->trouble;
	if (e != NULL)
		o->trouble = *e;
	else if (o->troubled == 0)
		err_clear(&o->trouble);
	if (o->conf.challenge_error != NULL && (e != NULL || (before && o->troubled == 0)))
		o->conf.challenge_error(o->arg, e);
}

static bool
listed_before(const struct order *o, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(o->object.authorizations[k], o->object.authorizations[i]) == 0)
			return true;
	return false;
}

static enum order_state
enter_authorize(struct order *o)
{
	struct authorization_conf conf = {
	    .asked = &o->csr.names,
	    .solver = o->conf.solver,
	    .deadline = o->deadline,
	    .trouble = order_trouble,
	};

	o->child_count = o->object.authorization_count;
	o->children = xcalloc(o->child_count + 1, sizeof(*o->children));
	for (size_t i = 0; i < o->child_count; i++) {
		o->children[i].order = o;
		if (listed_before(o, i))
			continue;
		conf.url = o->object.authorizations[i];
		o->running++;
		authorization_start(o->ca, &conf, authorized, &o->children[i], &o->children[i].op);
	}
	o->authorized = o->running == 0;
	return o->authorized ? ORDER_POLL : ORDER_AUTHORIZE;
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

/* ---- finalize ---- */

/* The body may be empty or nonsense; the poll shows what became of it. */
static enum order_state
order_finalized(struct order *o, const struct request_answer *answer)
{
	o->finalized = true;
	poll_init(&o->poll, o->ca->loopback);
	poll_heard(&o->poll, answer->retry_after);
	return order_read(o, answer, NULL) ? order_next(o) : ORDER_WAIT;
}

static enum order_state
order_refused(struct order *o, const struct err *cause)
{
	struct err e = *cause;

	if (e.problem == PROBLEM_ORDER_NOT_READY)
		return ORDER_WAIT;
	if (e.kind == ERR_BAD_CSR && e.problem == PROBLEM_UNAUTHORIZED && o->csr.names_only_in_cn)
		err_prefix(&e,
		    "put the names into the CSR's subjectAltName, the CA does not look "
		    "at the common name alone");
	return order_failed(o, &e);
}

static void
finalized(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct order *o = arg;

	order_move(o, e != NULL ? order_refused(o, e) : order_finalized(o, answer));
}

static enum order_state
enter_finalize(struct order *o)
{
	char *payload = order_finalize_payload(&o->csr);
	struct request_conf conf = {
	    .place = PLACE_FINALIZE,
	    .url = o->object.finalize,
	    .payload = payload,
	};

	order_request(o, &conf, finalized);
	free(payload);
	return ORDER_FINALIZE;
}

/* ---- download ---- */

static enum order_state
order_downloaded(struct order *o, const struct request_answer *answer)
{
	struct err e;

	o->chain = chain_parse(answer->body, answer->body_len, &e);
	if (o->chain == NULL) {
		err_prefix(&e, "certificate: %s", o->ca->host);
		return order_failed(o, &e);
	}
	if (memcmp(o->chain->leaf.spki_sha256, o->csr.spki_sha256, sizeof(o->csr.spki_sha256)) == 0)
		return ORDER_DONE;
	chain_free(o->chain);
	o->chain = NULL;
	return order_again(o, "its certificate is for another key");
}

static void
downloaded(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct order *o = arg;

	order_move(o, e != NULL ? order_failed(o, e) : order_downloaded(o, answer));
}

static enum order_state
enter_download(struct order *o)
{
	struct request_conf conf = {
	    .place = PLACE_CERTIFICATE,
	    .url = o->object.certificate,
	    .accept = "application/pem-certificate-chain",
	};

	order_request(o, &conf, downloaded);
	return ORDER_DOWNLOAD;
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
	order_csr_done(&o->csr);
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
	    chain != NULL ? NULL : &o->result);
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
	children_cancel(o);
	o->state = ORDER_DONE;
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

	o->ca = ca;
	o->conf = *conf;
	order_csr_copy(&o->csr, conf->csr);
	o->profile = conf->profile != NULL ? xstrdup(conf->profile) : NULL;
	o->replaces = conf->replaces != NULL ? xstrdup(conf->replaces) : NULL;
	o->done = done;
	o->arg = arg;
	o->log.names = identifiers_text(&o->csr.names, o->names, sizeof(o->names));
	o->timer = timer_new(ca->loop, order_timer, o);
	op_begin(&o->op, slot, order_cancel);
	order_reset(o);
	task_post(ca->loop, &o->task, order_begin, o);
}
