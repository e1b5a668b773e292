/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/authorization.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "acme/authorization_private.h"
#include "acme/ca_private.h"
#include "acme/request.h"
#include "acme/solver.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/err_slot.h"
#include "base/log.h"
#include "ev/loop.h"
#include "ev/timer.h"

enum { MOVES_MAX = 5000 }; /* hours of polling every 5 s */

static enum authorization_state enter_stay(struct authorization *a);
static enum authorization_state enter_fetch(struct authorization *a);
static enum authorization_state enter_present(struct authorization *a);
static enum authorization_state enter_gather(struct authorization *a);
static enum authorization_state enter_tell(struct authorization *a);
static enum authorization_state enter_wait(struct authorization *a);
static enum authorization_state enter_poll(struct authorization *a);
static enum authorization_state enter_withdraw(struct authorization *a);
static enum authorization_state enter_done(struct authorization *a);

/* The deadline of all of them is the order's; requests carry it, and WAIT is cut to it. */
static const struct {
	const char *name;
	bool deadline; /* arm the timer for the order's deadline */
	enum acme_step step;
	enum authorization_state (*enter)(struct authorization *a);
} states[] = {
    [AUTHORIZATION_IDLE] = {"idle", false, ACME_STEP_NONE, enter_stay},
    [AUTHORIZATION_FETCH] = {"fetch", false, ACME_STEP_NONE, enter_fetch},
    [AUTHORIZATION_PRESENT] = {"present", true, ACME_STEP_PRESENT, enter_present},
    [AUTHORIZATION_GATHER] = {"gather", true, ACME_STEP_NONE, enter_gather},
    [AUTHORIZATION_TELL] = {"tell", false, ACME_STEP_TELL, enter_tell},
    [AUTHORIZATION_WAIT] = {"wait", false, ACME_STEP_NONE, enter_wait},
    [AUTHORIZATION_POLL] = {"poll", false, ACME_STEP_NONE, enter_poll},
    [AUTHORIZATION_WITHDRAW] = {"withdraw", false, ACME_STEP_NONE, enter_withdraw},
    [AUTHORIZATION_DONE] = {"done", false, ACME_STEP_NONE, enter_done},
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
	struct err e;

	/* Cancelled by one of its own callbacks, which is still on the stack. */
	if (a->state == AUTHORIZATION_DONE)
		return;
	while (next != a->state) {
		op_cancel(&a->step);
		timer_stop(a->timer);
		if (++a->moves == MOVES_MAX) {
			err_set(&e, ERR_INTERNAL, "authorization %s: too many steps",
			    authorization_name(a));
			err_slot_set(&a->result, &e);
			next = AUTHORIZATION_WITHDRAW;
		}
		log_debug(NULL, "authorization %s: %s -> %s", authorization_name(a),
		    states[a->state].name, states[next].name);
		a->state = next;
		if (states[next].deadline)
			timer_start(a->timer, time_left(a));
		if (states[next].step != ACME_STEP_NONE)
			a->conf.step(a->arg, a->name, states[next].step);
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
	err_slot_set(&a->result, e->kind == ERR_TIMEOUT && a->trouble != NULL ? a->trouble : e);
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
	err_set(&e, ERR_TIMEOUT, "no time left for the authorization of %s", authorization_name(a));
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

/* ---- fetch ---- */

static void
take_challenge(struct authorization *a, const struct acme_challenge_object *from)
{
	acme_challenge_object_done(&a->challenge);
	a->challenge = *from;
	a->challenge.url = xstrdup(from->url);
	a->challenge.token = xstrdup(from->token);
	a->challenge.error = NULL; /* stays with the object */
}

static enum authorization_state
authorization_invalid(struct authorization *a, const struct acme_authorization_object *seen)
{
	struct err e;

	authorization_invalid_err(a, seen, &e);
	return authorization_failed(a, &e);
}

static enum authorization_state
authorization_begin(struct authorization *a, const struct acme_authorization_object *seen)
{
	const struct acme_challenge_object *c = authorization_challenge(a, seen);
	struct err e;

	if (seen->status == ACME_STATUS_VALID)
		return AUTHORIZATION_DONE;
	if (seen->status != ACME_STATUS_PENDING)
		return authorization_invalid(a, seen);
	if (!authorization_asked_for(a, &e))
		return authorization_failed(a, &e);
	if (c == NULL || c->status == ACME_STATUS_INVALID) {
		if (c == NULL)
			authorization_no_challenge_err(a, seen, &e);
		else
			authorization_validation_err(a, c, &e);
		return authorization_failed(a, &e);
	}
	take_challenge(a, c);
	return c->status == ACME_STATUS_VALID ? AUTHORIZATION_GATHER : AUTHORIZATION_PRESENT;
}

static void
fetched(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct acme_authorization_object seen = {0};
	struct authorization *a = arg;
	enum authorization_state next;
	struct err bad;

	if (e == NULL && !authorization_read(a, answer, &seen, &bad))
		e = &bad;
	next = e != NULL ? authorization_failed(a, e) : authorization_begin(a, &seen);
	acme_authorization_object_done(&seen);
	authorization_move(a, next);
}

static enum authorization_state
enter_fetch(struct authorization *a)
{
	authorization_request(a, PLACE_AUTHORIZATION, a->url, NULL, false, fetched);
	return AUTHORIZATION_FETCH;
}

/* ---- present ---- */

/* Valid as long as id. */
static struct acme_answer
answer_of(const struct authorization *a, struct identifier *id)
{
	authorization_identifier(a, id);
	return (struct acme_answer){
	    .identifier = id,
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
	authorization_move(a, AUTHORIZATION_GATHER);
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
	struct identifier id;
	struct acme_answer answer;

	a->key_authorization = key_authorization(a->ca->key, a->challenge.token);
	answer = answer_of(a, &id);
	solver->present(solver, &answer, presented, fetched_from_us, a, &a->step);
	return AUTHORIZATION_PRESENT;
}

/* ---- until the others have presented theirs ---- */

/* In a reused order the CA may have been told already: once is enough. */
static enum authorization_state
authorization_gathered(const struct authorization *a)
{
	bool told = a->challenge.status == ACME_STATUS_PROCESSING ||
	    a->challenge.status == ACME_STATUS_VALID;

	return told ? AUTHORIZATION_WAIT : AUTHORIZATION_TELL;
}

static enum authorization_state
enter_gather(struct authorization *a)
{
	return a->conf.presented(a->arg) ? authorization_gathered(a) : AUTHORIZATION_GATHER;
}

void
authorization_tell(struct op *op)
{
	struct authorization *a = (struct authorization *)op;

	authorization_move(a, authorization_gathered(a));
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
		authorization_validation_err(a, &c, &e);
		next = authorization_failed(a, &e);
	} else if (c.status == ACME_STATUS_VALID) {
		next = AUTHORIZATION_POLL;
	} else {
		authorization_trouble(a, &c);
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
		err_slot_set(&a->refused, e);
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
authorization_still_pending(struct authorization *a, const struct acme_authorization_object *seen)
{
	const struct acme_challenge_object *c = authorization_challenge(a, seen);
	struct err e;

	if (c != NULL && c->status == ACME_STATUS_INVALID) {
		authorization_validation_err(a, c, &e);
		return authorization_failed(a, &e);
	}
	/* It was refused, and not because it was told before. */
	if (a->refused != NULL && c != NULL && c->status == ACME_STATUS_PENDING)
		return authorization_failed(a, a->refused);
	err_slot_clear(&a->refused);
	authorization_trouble(a, c);
	return AUTHORIZATION_WAIT;
}

static void
polled(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct acme_authorization_object seen = {0};
	struct authorization *a = arg;
	enum authorization_state next;
	struct err bad;

	if (e == NULL && !authorization_read(a, answer, &seen, &bad))
		e = &bad;
	if (e != NULL) {
		next = poll_forgives(&a->poll, answer->status, e) ? AUTHORIZATION_WAIT
								  : authorization_failed(a, e);
	} else {
		poll_heard(&a->poll, answer->retry_after);
		if (seen.status == ACME_STATUS_PENDING)
			next = authorization_still_pending(a, &seen);
		else if (seen.status == ACME_STATUS_VALID)
			next = AUTHORIZATION_WITHDRAW;
		else
			next = authorization_invalid(a, &seen);
	}
	acme_authorization_object_done(&seen);
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
	struct identifier id;
	struct acme_answer answer;

	if (!a->presented)
		return;
	a->presented = false;
	answer = answer_of(a, &id);
	a->conf.solver->withdraw(a->conf.solver, &answer, a);
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
	acme_challenge_object_done(&a->challenge);
	err_slot_clear(&a->refused);
	err_slot_clear(&a->trouble);
	err_slot_clear(&a->result);
	free(a->name);
	free(a->key_authorization);
	free(a->url);
	free(a);
}

static enum authorization_state
enter_done(struct authorization *a)
{
	struct loop *loop = a->ca->loop;

	op_end(&a->op);
	a->done(a->arg, authorization_name(a), a->result);
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
