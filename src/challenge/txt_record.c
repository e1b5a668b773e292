/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/txt_record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err_slot.h"
#include "base/log.h"
#include "challenge/txt_private.h"
#include "ev/op.h"
#include "ev/timer.h"

enum { TURN_MS = 120 * 1000, /* many names may be delegated to one */ MOVES_MAX = 1000 };

void
txt_warn(const struct txt_record *r, const char *text)
{
	if (r->a->warn != NULL)
		r->a->warn(r->a->arg, text);
}

void
txt_updated(const struct txt_record *r, const struct err *e)
{
	if (r->a->updated != NULL)
		r->a->updated(r->a->arg, e);
}

size_t
txt_first_touched(const struct txt_record *r)
{
	return (size_t)__builtin_ctzll(r->touched);
}

/* ---- moving outside of a callback ---- */

static void
advance(void *arg)
{
	struct txt_record *r = arg;

	txt_move(r, r->advance_to);
}

void
txt_move_later(struct txt_record *r, enum txt_state to)
{
	r->advance_to = to;
	task_post(r->a->loop, &r->advance, advance, r);
}

/* ---- turns: changes at one name come one after the other ---- */

static struct txt_record *
first_in_turn(struct txt_zone_access *a, const char *name)
{
	struct txt_record *r;

	TAILQ_FOREACH (r, &a->turns, turn)
		if (strcmp(r->name, name) == 0)
			return r;
	return NULL;
}

/* Queues; true if it is the first. */
bool
txt_take_turn(struct txt_record *r)
{
	TAILQ_INSERT_TAIL(&r->a->turns, r, turn);
	r->queued = true;
	return first_in_turn(r->a, r->name) == r;
}

static void
leave_turn(struct txt_record *r)
{
	if (!r->queued)
		return;
	TAILQ_REMOVE(&r->a->turns, r, turn);
	r->queued = false;
	struct txt_record *next = first_in_turn(r->a, r->name);
	if (next != NULL && next->state == TXT_TURN)
		txt_move_later(next, TXT_UPDATE);
	else if (next != NULL && next->state == TXT_CLEAN_TURN)
		txt_move_later(next, TXT_CLEAN);
}

/* ---- failure ---- */

void
txt_fail(struct txt_record *r, const struct err *e)
{
	struct err why = *e;
	bool tell = r->wanted;

	r->wanted = false;
	if (tell)
		r->a->settled(r->a->arg, r, &why);
	txt_move(r, TXT_CLEAN_TURN);
}

/* ---- gone ---- */

static void
release(void *arg)
{
	struct txt_record *r = arg;

	dns_servers_done(&r->resolvers);
	dns_servers_done(&r->cleaned);
	free(r->owner);
	free(r->value);
	err_slot_clear(&r->clean_error);
	free(r);
}

void
txt_record_abandon(struct txt_record *r)
{
	op_cancel(&r->step);
	task_cancel(&r->advance);
	timer_free(r->timer);
	if (r->queued)
		TAILQ_REMOVE(&r->a->turns, r, turn);
	loop_dispose(r->a->loop, release, r);
}

static enum txt_state
enter_gone(struct txt_record *r)
{
	if (r->wanted) {
		r->clean_until = 0;
		return TXT_CHASE;
	}
	r->a->gone(r->a->arg, r);
	txt_record_abandon(r);
	return TXT_GONE;
}

/* ---- the machine ---- */

static const struct {
	const char *name;
	int64_t deadline_ms; /* 0: what it waits for has its own, or it waits for the caller */
	enum txt_state (*enter)(struct txt_record *r);
	void (*late)(struct txt_record *r); /* the deadline, or a timer that enter started */
	bool cleans;  /* a record that is no longer wanted leaves this state to be cleaned */
	bool in_turn; /* keeps the turn it has */
} states[] = {
    [TXT_NEW] = {"new", 0, NULL, NULL, .cleans = true},
    [TXT_CHASE] = {"chase", 0, txt_enter_chase, NULL, .cleans = true},
    [TXT_ZONE] = {"zone", 0, txt_enter_zone, NULL, .cleans = true},
    [TXT_TURN] = {"turn", TURN_MS, txt_enter_turn, txt_late_turn, .cleans = true},
    [TXT_UPDATE] = {"update", 0, txt_enter_update, NULL, .in_turn = true},
    [TXT_PROPAGATE] = {"propagate", 0, txt_enter_propagate, NULL, .cleans = true},
    [TXT_PRESENT] = {"present", 0, txt_enter_present, NULL, .cleans = true},
    [TXT_CLEAN_TURN] = {"clean-turn", TURN_MS, txt_enter_clean_turn, txt_give_up},
    [TXT_CLEAN] = {"clean", 0, txt_enter_clean, NULL, .in_turn = true},
    [TXT_CLEAN_WAIT] = {"clean-wait", 0, txt_enter_clean_wait, txt_late_clean_wait},
    [TXT_GONE] = {"gone", 0, enter_gone, NULL},
};
static_assert(sizeof(states) / sizeof(states[0]) == TXT_STATE_COUNT, "a row for each state");

/* The one door. */
void
txt_move(struct txt_record *r, enum txt_state to)
{
	do {
		log_debug(
		    NULL, "dns-01: %s: %s -> %s", r->owner, states[r->state].name, states[to].name);
		assert(++r->moves <= MOVES_MAX);
		op_cancel(&r->step);
		task_cancel(&r->advance);
		timer_stop(r->timer);
		if (!states[to].in_turn)
			leave_turn(r);
		r->state = to;
		if (states[to].deadline_ms > 0)
			timer_start(r->timer, states[to].deadline_ms);
		to = states[to].enter(r);
	} while (to != r->state);
}

static void
fired(void *arg)
{
	struct txt_record *r = arg;

	states[r->state].late(r);
}

void
txt_zone_access_init(struct txt_zone_access *a)
{
	TAILQ_INIT(&a->turns);
}

struct txt_record *
txt_record_new(struct txt_zone_access *a, const char *owner, const char *value, void *user)
{
	struct txt_record *r = xcalloc(1, sizeof(*r));

	r->a = a;
	r->user = user;
	r->owner = xstrdup(owner);
	r->value = xstrdup(value);
	r->wanted = true;
	r->timer = timer_new(a->loop, fired, r);
	txt_move_later(r, TXT_CHASE);
	return r;
}

void
txt_record_want(struct txt_record *r, bool wanted)
{
	r->wanted = wanted;
	if (!wanted && states[r->state].cleans)
		txt_move(r, TXT_CLEAN_TURN);
}

bool
txt_record_presented(const struct txt_record *r)
{
	return r->state == TXT_PRESENT;
}

bool
txt_record_is(const struct txt_record *r, const char *owner, const char *value)
{
	return strcmp(r->owner, owner) == 0 && strcmp(r->value, value) == 0;
}

void *
txt_record_user(const struct txt_record *r)
{
	return r->user;
}
