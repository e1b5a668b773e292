/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/authorization.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "acme/ca_private.h"
#include "acme/poll.h"
#include "acme/request.h"
#include "acme/solver.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/acme_json.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"

enum { MOVES_MAX = 2000 };

enum authorization_state {
	AUTHORIZATION_IDLE,
	AUTHORIZATION_FETCH,
	AUTHORIZATION_PRESENT,
	AUTHORIZATION_TELL,
	AUTHORIZATION_WAIT,
	AUTHORIZATION_POLL,
	AUTHORIZATION_WITHDRAW,
	AUTHORIZATION_DONE,
	AUTHORIZATION_STATE_COUNT
};

struct authorization {
	struct op op;
	struct ca *ca;
	struct authorization_conf conf;
	char *url;
	authorization_done_fn *done;
	void *arg;
	enum authorization_state state;
	unsigned moves;
	struct op *step;
	struct timer *timer;
	struct poll poll;
	struct acme_authorization_object object; /* as last seen */
	struct identifier identifier;
	char name[IDENTIFIER_MAX + 1];          /* for people: with "*." for a wildcard */
	struct acme_challenge_object challenge; /* ours, as last seen */
	char *key_authorization;                /* of what is presented */
	bool presented;
	bool hurry;         /* the CA asked our listener while we were asking it */
	struct err refused; /* the CA did not take our word that the answer is there */
	struct err trouble; /* the CA's last word on the challenge, as long as it is pending */
	struct err result;
};

static enum authorization_state enter_stay(struct authorization *a);
static enum authorization_state enter_fetch(struct authorization *a);
static enum authorization_state enter_present(struct authorization *a);
static enum authorization_state enter_tell(struct authorization *a);
static enum authorization_state enter_wait(struct authorization *a);
static enum authorization_state enter_poll(struct authorization *a);
static enum authorization_state enter_withdraw(struct authorization *a);
static enum authorization_state enter_done(struct authorization *a);

/* The deadline of all of them is the order's; requests carry it, WAIT is cut to it, and PRESENT
 * arms it itself. */
static const struct {
	const char *name;
	bool deadline; /* arm the timer for the order's deadline */
	enum authorization_state (*enter)(struct authorization *a);
} states[] = {
    [AUTHORIZATION_IDLE] = {"idle", false, enter_stay},
    [AUTHORIZATION_FETCH] = {"fetch", false, enter_fetch},
    [AUTHORIZATION_PRESENT] = {"present", true, enter_present},
    [AUTHORIZATION_TELL] = {"tell", false, enter_tell},
    [AUTHORIZATION_WAIT] = {"wait", false, enter_wait},
    [AUTHORIZATION_POLL] = {"poll", false, enter_poll},
    [AUTHORIZATION_WITHDRAW] = {"withdraw", false, enter_withdraw},
    [AUTHORIZATION_DONE] = {"done", false, enter_done},
};
static_assert(sizeof(states) / sizeof(states[0]) == AUTHORIZATION_STATE_COUNT, "one row per state");

static int64_t
time_left(const struct authorization *a)
{
	int64_t left = a->conf.deadline - clock_mono_ms();

	return left > 0 ? left : 0;
}

/* The only place that changes the state. */
static void
authorization_move(struct authorization *a, enum authorization_state next)
{
	/* Cancelled by one of its own callbacks, which is still on the stack. */
	if (a->state == AUTHORIZATION_DONE)
		return;
	while (next != a->state) {
		op_cancel(&a->step);
		timer_stop(a->timer);
		if (++a->moves == MOVES_MAX) {
			err_set(
			    &a->result, ERR_INTERNAL, "authorization %s: too many steps", a->name);
			next = AUTHORIZATION_WITHDRAW;
		}
		log_debug(NULL, "authorization %s: %s -> %s", a->name, states[a->state].name,
		    states[next].name);
		a->state = next;
		if (states[next].deadline)
			timer_start(a->timer, time_left(a));
		next = states[next].enter(a);
	}
}

static enum authorization_state
enter_stay(struct authorization *a)
{
	return a->state;
}

/* A CA that reports nothing but errors has not validated the name: its word says more than that our
 * time is over. */
static enum authorization_state
authorization_failed(struct authorization *a, const struct err *e)
{
	a->result = e->kind == ERR_TIMEOUT && a->trouble.kind != ERR_NONE ? a->trouble : *e;
	return AUTHORIZATION_WITHDRAW;
}

static void
authorization_timer(void *arg)
{
	struct authorization *a = arg;
	struct err e;

	if (a->state == AUTHORIZATION_WAIT && time_left(a) > 0) {
		authorization_move(a, AUTHORIZATION_POLL);
		return;
	}
	err_set(&e, ERR_TIMEOUT, "no time left for the authorization of %s", a->name);
	authorization_move(a, authorization_failed(a, &e));
}

static void
authorization_request(struct authorization *a, enum acme_place place, const char *url,
    const char *payload, bool poll, request_done_fn *done)
{
	struct request_conf conf = {
	    .mode = REQUEST_SIGNED,
	    .place = place,
	    .url = url,
	    .payload = payload,
	    .poll = poll,
	    .deadline = a->conf.deadline,
	};

	request_start(a->ca, &conf, done, a, &a->step);
}

/* ---- what the CA says of it ---- */

static void
validation_err(struct authorization *a, const struct acme_challenge_object *c, struct err *e)
{
	if (c != NULL && c->has_error)
		problem_err(&c->error, PLACE_VALIDATION, NULL, e);
	else
		err_set(e, ERR_VALIDATION, "%s gave no reason", a->ca->host);
	err_prefix(e, "Validation failed for %s", a->name);
}

static const struct acme_challenge_object *
find_challenge(const struct authorization *a)
{
	for (size_t i = 0; i < a->object.challenge_count; i++)
		if (strcmp(a->object.challenges[i].type, a->conf.solver->type) == 0)
			return &a->object.challenges[i];
	return NULL;
}

/* Any challenge with an error explains why the whole is invalid; ours best. */
static enum authorization_state
authorization_invalid(struct authorization *a)
{
	const struct acme_challenge_object *c = find_challenge(a);
	struct err e;

	for (size_t i = 0; i < a->object.challenge_count && (c == NULL || !c->has_error); i++)
		if (a->object.challenges[i].has_error)
			c = &a->object.challenges[i];
	if (a->object.status == ACME_STATUS_INVALID) {
		validation_err(a, c, &e);
	} else {
		err_set(&e, ERR_UPSTREAM, "%s says the authorization of %s is %s", a->ca->host,
		    a->name, acme_status_name(a->object.status));
	}
	return authorization_failed(a, &e);
}

static void
report_trouble(struct authorization *a, const struct acme_challenge_object *c)
{
	bool before = a->trouble.kind != ERR_NONE;

	err_clear(&a->trouble);
	if (c != NULL && c->has_error)
		validation_err(a, c, &a->trouble);
	if (a->conf.trouble == NULL)
		return;
	if (a->trouble.kind != ERR_NONE)
		a->conf.trouble(a->arg, &a->trouble);
	else if (before)
		a->conf.trouble(a->arg, NULL);
}

static bool
authorization_read(struct authorization *a, const struct request_answer *answer, struct err *e)
{
	struct acme_authorization_object object;

	if (!acme_authorization_parse(answer->body, answer->body_len, a->ca->uri.https, &object, e))
		return err_prefix(e, "authorization: %s", a->ca->host);
	acme_authorization_object_done(&a->object);
	a->object = object;
	/* The first answer counts: what is withdrawn has to be what was presented. */
	if (a->name[0] != '\0')
		return true;
	a->identifier = object.identifier;
	if (object.wildcard && strlen(object.identifier.value) + 2 < sizeof(a->name))
		strcpy(a->name, "*.");
	strcat(a->name, object.identifier.value);
	return true;
}

/* ---- fetch ---- */

static bool
asked_for(const struct authorization *a)
{
	const struct identifiers *asked = a->conf.asked;

	for (size_t i = 0; i < asked->count; i++)
		if (asked->items[i].kind == a->identifier.kind &&
		    strcmp(identifier_base(&asked->items[i]), a->identifier.value) == 0)
			return true;
	return false;
}

static enum authorization_state
no_challenge(struct authorization *a)
{
	struct err e;
	char offered[200] = "";
	size_t n = 0;

	for (size_t i = 0; i < a->object.challenge_count; i++) {
		const char *type = a->object.challenges[i].type;

		if (n + strlen(type) + 3 > sizeof(offered))
			break;
		n = (size_t)(stpcpy(stpcpy(offered + n, n > 0 ? ", " : ""), type) - offered);
	}
	err_set(&e, ERR_FORBIDDEN, "%s offers no %s challenge for %s; it offers: %s", a->ca->host,
	    a->conf.solver->type, a->name, n > 0 ? offered : "none");
	return authorization_failed(a, &e);
}

static void
take_challenge(struct authorization *a, const struct acme_challenge_object *from)
{
	a->challenge = *from;
	a->challenge.url = xstrdup(from->url);
	/* The rest of it, the error, stays with the object. */
	a->challenge.has_error = false;
	memset(&a->challenge.error, 0, sizeof(a->challenge.error));
}

static enum authorization_state
authorization_begin(struct authorization *a)
{
	const struct acme_challenge_object *c = find_challenge(a);
	struct err e;

	if (a->object.status == ACME_STATUS_VALID)
		return AUTHORIZATION_DONE;
	if (a->object.status != ACME_STATUS_PENDING)
		return authorization_invalid(a);
	if (!asked_for(a)) {
		err_set(&e, ERR_UPSTREAM, "%s wants %s authorized, which is not in the order",
		    a->ca->host, a->name);
		return authorization_failed(a, &e);
	}
	if (c == NULL)
		return no_challenge(a);
	if (c->status == ACME_STATUS_INVALID) {
		validation_err(a, c, &e);
		return authorization_failed(a, &e);
	}
	take_challenge(a, c);
	return c->status == ACME_STATUS_VALID ? AUTHORIZATION_WAIT : AUTHORIZATION_PRESENT;
}

static void
fetched(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct authorization *a = arg;
	struct err bad;

	if (e == NULL && !authorization_read(a, answer, &bad))
		e = &bad;
	authorization_move(a, e != NULL ? authorization_failed(a, e) : authorization_begin(a));
}

static enum authorization_state
enter_fetch(struct authorization *a)
{
	authorization_request(a, PLACE_AUTHORIZATION, a->url, NULL, false, fetched);
	return AUTHORIZATION_FETCH;
}

/* ---- present ---- */

static struct acme_answer
answer_of(const struct authorization *a)
{
	return (struct acme_answer){
	    .identifier = &a->identifier,
	    .token = a->challenge.token,
	    .key_authorization = a->key_authorization,
	};
}

static void
presented(void *arg, const struct err *e)
{
	struct authorization *a = arg;

	if (e != NULL) {
		authorization_move(a, authorization_failed(a, e));
		return;
	}
	a->presented = true;
	/* In a reused order the CA may have been told already: once is enough. */
	authorization_move(a,
	    a->challenge.status == ACME_STATUS_PROCESSING ? AUTHORIZATION_WAIT
							  : AUTHORIZATION_TELL);
}

/* The CA has just asked our listener: it will know in a moment. */
static void
fetched_from_us(void *arg)
{
	struct authorization *a = arg;
	int64_t wait;

	a->hurry = a->state != AUTHORIZATION_WAIT;
	if (a->hurry || (wait = poll_hurry(&a->poll)) < 0)
		return;
	if (wait < time_left(a))
		timer_start(a->timer, wait);
}

static enum authorization_state
enter_present(struct authorization *a)
{
	struct acme_solver *solver = a->conf.solver;
	struct acme_answer answer;

	a->key_authorization = key_authorization(a->ca->key, a->challenge.token);
	answer = answer_of(a);
	solver->present(solver, &answer, presented, fetched_from_us, a, &a->step);
	return AUTHORIZATION_PRESENT;
}

/* ---- tell the CA, once ---- */

/* The body may be empty or nonsense; then the poll shows what became of it. */
static enum authorization_state
challenge_answered(struct authorization *a, const struct request_answer *answer)
{
	struct acme_challenge_object c;
	enum authorization_state next = AUTHORIZATION_WAIT;
	struct err e;

	poll_heard(&a->poll, answer->retry_after);
	if (!acme_challenge_parse(answer->body, answer->body_len, a->ca->uri.https, &c, NULL))
		return AUTHORIZATION_WAIT;
	if (c.status == ACME_STATUS_INVALID) {
		validation_err(a, &c, &e);
		next = authorization_failed(a, &e);
	} else if (c.status == ACME_STATUS_VALID) {
		next = AUTHORIZATION_POLL;
	} else {
		report_trouble(a, &c);
	}
	acme_challenge_object_done(&c);
	return next;
}

/* A refusal may mean that it was told before (Let's Encrypt: 409): the authorization shows. */
static bool
worth_a_look(const struct request_answer *answer, const struct err *e)
{
	return answer->status == 409 ||
	    (answer->status >= 400 && answer->status < 500 && e->problem == PROBLEM_MALFORMED);
}

static void
told(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct authorization *a = arg;

	if (e == NULL) {
		authorization_move(a, challenge_answered(a, answer));
	} else if (worth_a_look(answer, e)) {
		a->refused = *e;
		authorization_move(a, AUTHORIZATION_POLL);
	} else {
		authorization_move(a, authorization_failed(a, e));
	}
}

static enum authorization_state
enter_tell(struct authorization *a)
{
	authorization_request(a, PLACE_CHALLENGE, a->challenge.url, "{}", false, told);
	return AUTHORIZATION_TELL;
}

/* ---- poll ---- */

static enum authorization_state
enter_wait(struct authorization *a)
{
	int64_t wait = poll_next(&a->poll, time_left(a));
	int64_t soon = a->hurry ? poll_hurry(&a->poll) : -1;

	a->hurry = false;
	timer_start(a->timer, soon >= 0 && soon < wait ? soon : wait);
	return AUTHORIZATION_WAIT;
}

/* Some CAs leave the authorization pending for ever when its challenge is invalid. */
static enum authorization_state
authorization_still_pending(struct authorization *a)
{
	const struct acme_challenge_object *c = find_challenge(a);
	struct err e;

	if (c != NULL && c->status == ACME_STATUS_INVALID) {
		validation_err(a, c, &e);
		return authorization_failed(a, &e);
	}
	/* It was refused, and not because it was told before. */
	if (a->refused.kind != ERR_NONE && c != NULL && c->status == ACME_STATUS_PENDING)
		return authorization_failed(a, &a->refused);
	err_clear(&a->refused);
	report_trouble(a, c);
	return AUTHORIZATION_WAIT;
}

static void
polled(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct authorization *a = arg;
	enum authorization_state next;
	struct err bad;

	if (e == NULL && !authorization_read(a, answer, &bad))
		e = &bad;
	if (e != NULL) {
		next = poll_forgives(&a->poll, answer->status, e) ? AUTHORIZATION_WAIT
								  : authorization_failed(a, e);
	} else {
		poll_heard(&a->poll, answer->retry_after);
		if (a->object.status == ACME_STATUS_PENDING)
			next = authorization_still_pending(a);
		else if (a->object.status == ACME_STATUS_VALID)
			next = AUTHORIZATION_WITHDRAW;
		else
			next = authorization_invalid(a);
	}
	authorization_move(a, next);
}

static enum authorization_state
enter_poll(struct authorization *a)
{
	authorization_request(a, PLACE_AUTHORIZATION, a->url, NULL, true, polled);
	return AUTHORIZATION_POLL;
}

/* ---- the end ---- */

static void
authorization_withdraw(struct authorization *a)
{
	struct acme_answer answer = answer_of(a);

	if (a->presented)
		a->conf.solver->withdraw(a->conf.solver, &answer, a);
	a->presented = false;
}

static enum authorization_state
enter_withdraw(struct authorization *a)
{
	authorization_withdraw(a);
	return AUTHORIZATION_DONE;
}

static void
authorization_free(void *ptr)
{
	struct authorization *a = ptr;

	timer_free(a->timer);
	acme_authorization_object_done(&a->object);
	acme_challenge_object_done(&a->challenge);
	free(a->key_authorization);
	free(a->url);
	free(a);
}

static enum authorization_state
enter_done(struct authorization *a)
{
	struct loop *loop = a->ca->loop;

	op_end(&a->op);
	a->done(a->arg, a->name, a->result.kind != ERR_NONE ? &a->result : NULL);
	loop_dispose(loop, authorization_free, a);
	return AUTHORIZATION_DONE;
}

static void
authorization_cancel(struct op *op)
{
	struct authorization *a = (struct authorization *)op;

	op_cancel(&a->step);
	timer_stop(a->timer);
	authorization_withdraw(a);
	a->state = AUTHORIZATION_DONE;
	loop_dispose(a->ca->loop, authorization_free, a);
}

void
authorization_start(struct ca *ca, const struct authorization_conf *conf,
    authorization_done_fn *done, void *arg, struct op **slot)
{
	struct authorization *a = xcalloc(1, sizeof(*a));

	a->ca = ca;
	a->conf = *conf;
	a->url = xstrdup(conf->url);
	a->done = done;
	a->arg = arg;
	a->timer = timer_new(ca->loop, authorization_timer, a);
	poll_init(&a->poll, ca->loopback);
	op_begin(&a->op, slot, authorization_cancel);
	authorization_move(a, AUTHORIZATION_FETCH);
}
