/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/txt_record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "dns/chase.h"
#include "dns/propagation.h"
#include "dns/update.h"
#include "dns/zone.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"

enum txt_state {
	TXT_NEW,
	TXT_CHASE,
	TXT_ZONE,
	TXT_TURN,
	TXT_UPDATE,
	TXT_PROPAGATE,
	TXT_PRESENT,
	TXT_CLEAN_TURN,
	TXT_CLEAN,
	TXT_CLEAN_WAIT,
	TXT_GONE,
	TXT_STATE_COUNT
};

enum {
	TURN_MS = 120 * 1000, /* many names may be delegated to one */
	MOVES_MAX = 1000,
	CLEAN_WAIT_MS = 1000, /* doubled up to the next */
	CLEAN_WAIT_MAX_MS = 16 * 1000,
};

struct txt_record {
	TAILQ_ENTRY(txt_record) turn;
	struct txt_zone_access *a;
	void *user;
	char *owner; /* before following CNAME records */
	char *value;
	enum txt_state state;
	unsigned moves;
	bool wanted;
	bool queued; /* in a->turns */
	struct dns_servers resolvers;
	char name[DNS_NAME_TEXT]; /* where it really is */
	char zone[DNS_NAME_TEXT];
	size_t server;              /* to be tried first */
	uint64_t touched;           /* servers that may have the record */
	struct dns_servers cleaned; /* the one being asked to delete */
	int64_t clean_until;        /* 0: cleaning has not begun */
	int64_t clean_wait;
	struct err clean_error;
	struct op *step;
	struct timer *timer;
	struct task advance;
	enum txt_state advance_to;
};

static void txt_move(struct txt_record *r, enum txt_state to);

static void
warn(const struct txt_record *r, const char *text)
{
	if (r->a->warn != NULL)
		r->a->warn(r->a->arg, text);
}

/* ---- moving outside of a callback ---- */

static void
advance(void *arg)
{
	struct txt_record *r = arg;

	txt_move(r, r->advance_to);
}

static void
advance_later(struct txt_record *r, enum txt_state to)
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
static bool
take_turn(struct txt_record *r)
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
		advance_later(next, TXT_UPDATE);
	else if (next != NULL && next->state == TXT_CLEAN_TURN)
		advance_later(next, TXT_CLEAN);
}

/* ---- failure ---- */

static void
fail(struct txt_record *r, const struct err *e)
{
	struct err why = *e;
	bool tell = r->wanted;

	r->wanted = false;
	if (tell)
		r->a->settled(r->a->arg, r, &why);
	txt_move(r, TXT_CLEAN_TURN);
}

static void
late_turn(struct txt_record *r)
{
	struct err e;

	err_set(&e, ERR_BUSY, "other changes of %.255s are still going on", r->name);
	fail(r, &e);
}

/* ---- chase ---- */

static void
chased(void *arg, const char *target, const struct err *e)
{
	struct txt_record *r = arg;

	if (target == NULL) {
		fail(r, e);
		return;
	}
	if (strcmp(target, r->name) != 0)
		log_debug(NULL, "dns-01: %s leads to %s", r->owner, target);
	strcpy(r->name, target);
	txt_move(r, TXT_ZONE);
}

static void
choose_resolvers(struct txt_record *r)
{
	dns_servers_done(&r->resolvers);
	if (r->a->resolvers.count > 0)
		dns_servers_join(&r->resolvers, &r->a->resolvers);
	else
		dns_servers_system(&r->resolvers, r->a->resolv_conf);
}

static enum txt_state
enter_chase(struct txt_record *r)
{
	choose_resolvers(r);
	if (!dns_name_parse(r->owner, r->name)) {
		struct err e;

		err_set(&e, ERR_VALIDATION, "%.255s is too long for a domain name", r->owner);
		r->a->settled(r->a->arg, r, &e);
		r->wanted = false;
		return TXT_GONE;
	}
	if (!r->a->follow_cname)
		return TXT_ZONE;
	dns_chase_start(
	    &(struct dns_chase){
		.client = r->a->client,
		.resolvers = &r->resolvers,
		.servers = &r->a->servers,
		.zone = r->a->zone,
		.timeout_ms = r->a->timeout_ms,
		.name = r->name,
		.done = chased,
		.arg = r,
	    },
	    &r->step);
	return TXT_CHASE;
}

/* ---- zone ---- */

static void
zone_found(void *arg, const struct dns_zone *zone, const struct err *e)
{
	struct txt_record *r = arg;

	if (zone == NULL) {
		fail(r, e);
		return;
	}
	if (zone->warning != NULL)
		warn(r, zone->warning);
	strcpy(r->zone, zone->name);
	r->server = zone->server;
	txt_move(r, TXT_TURN);
}

static void
outside_zone(void *arg)
{
	struct txt_record *r = arg;
	struct err e;

	err_set(&e, ERR_CONFIG,
	    "%.255s is not in the configured zone %.255s: leave zone out, or make it the zone of "
	    "the name",
	    r->name, r->a->zone);
	fail(r, &e);
}

static enum txt_state
enter_zone(struct txt_record *r)
{
	r->server = 0;
	if (r->a->zone != NULL && dns_name_within(r->name, r->a->zone)) {
		strcpy(r->zone, r->a->zone);
		return TXT_TURN;
	}
	if (r->a->zone != NULL) {
		task_post(r->a->loop, &r->advance, outside_zone, r);
		return TXT_ZONE;
	}
	dns_zone_find_start(
	    &(struct dns_zone_find){
		.client = r->a->client,
		.servers = &r->a->servers,
		.timeout_ms = r->a->timeout_ms,
		.name = r->name,
		.done = zone_found,
		.arg = r,
	    },
	    &r->step);
	return TXT_ZONE;
}

/* ---- update ---- */

static enum txt_state
enter_turn(struct txt_record *r)
{
	return take_turn(r) ? TXT_UPDATE : TXT_TURN;
}

static void
updated(void *arg, uint64_t touched, const struct err *e)
{
	struct txt_record *r = arg;

	r->touched |= touched;
	if (e != NULL)
		fail(r, e);
	else if (!r->wanted)
		txt_move(r, TXT_CLEAN_TURN);
	else
		txt_move(r, r->a->propagation_check ? TXT_PROPAGATE : TXT_PRESENT);
}

static enum txt_state
enter_update(struct txt_record *r)
{
	dns_update_start(
	    &(struct dns_update){
		.client = r->a->client,
		.servers = &r->a->servers,
		.first = r->server,
		.key = r->a->key,
		.timeout_ms = r->a->timeout_ms,
		.zone = r->zone,
		.name = r->name,
		.value = r->value,
		.add = true,
		.ttl = r->a->ttl,
		.done = updated,
		.arg = r,
	    },
	    &r->step);
	return TXT_UPDATE;
}

/* ---- propagate ---- */

static void
propagated(void *arg, const struct err *e)
{
	struct txt_record *r = arg;

	if (e != NULL)
		fail(r, e);
	else
		txt_move(r, TXT_PRESENT);
}

static void
propagation_warns(void *arg, const char *text)
{
	warn(arg, text);
}

static size_t
first_touched(const struct txt_record *r)
{
	return (size_t)__builtin_ctzll(r->touched);
}

static enum txt_state
enter_propagate(struct txt_record *r)
{
	dns_propagation_start(
	    &(struct dns_propagation){
		.client = r->a->client,
		.resolvers = &r->resolvers,
		.servers = &r->a->servers,
		.server = first_touched(r),
		.zone = r->zone,
		.name = r->name,
		.value = r->value,
		.timeout_ms = r->a->timeout_ms,
		.total_ms = r->a->propagation_ms,
		.warn = propagation_warns,
		.done = propagated,
		.arg = r,
	    },
	    &r->step);
	return TXT_PROPAGATE;
}

/* ---- present ---- */

static enum txt_state
enter_present(struct txt_record *r)
{
	r->a->settled(r->a->arg, r, NULL);
	return TXT_PRESENT;
}

/* ---- clean ---- */

static void
give_up(struct txt_record *r)
{
	char *text = xasprintf("a TXT record is left behind at %s in zone %s: %s", r->name, r->zone,
	    r->clean_error.kind != ERR_NONE ? r->clean_error.detail : "no time left to delete it");

	warn(r, text);
	free(text);
	r->touched = 0;
	txt_move(r, TXT_GONE);
}

static enum txt_state
enter_clean_turn(struct txt_record *r)
{
	if (r->touched == 0)
		return TXT_GONE;
	if (r->clean_until == 0) {
		r->clean_until = clock_mono_ms() + r->a->clean_ms;
		r->clean_wait = CLEAN_WAIT_MS;
	}
	return take_turn(r) ? TXT_CLEAN : TXT_CLEAN_TURN;
}

static void
cleaned(void *arg, uint64_t touched, const struct err *e)
{
	struct txt_record *r = arg;

	if (e == NULL) {
		r->touched &= r->touched - 1;
		txt_move(r, TXT_CLEAN_TURN);
		return;
	}
	r->clean_error = *e;
	txt_move(r, TXT_CLEAN_WAIT);
}

/* One server that may have it after the other. */
static enum txt_state
enter_clean(struct txt_record *r)
{
	dns_servers_done(&r->cleaned);
	dns_servers_append(&r->cleaned, &r->a->servers.items[first_touched(r)]);
	dns_update_start(
	    &(struct dns_update){
		.client = r->a->client,
		.servers = &r->cleaned,
		.key = r->a->key,
		.timeout_ms = r->a->timeout_ms,
		.zone = r->zone,
		.name = r->name,
		.value = r->value,
		.add = false,
		.done = cleaned,
		.arg = r,
	    },
	    &r->step);
	return TXT_CLEAN;
}

static enum txt_state
enter_clean_wait(struct txt_record *r)
{
	int64_t left = r->clean_until - clock_mono_ms();

	timer_start(r->timer, r->clean_wait < left ? r->clean_wait : left);
	r->clean_wait *= 2;
	if (r->clean_wait > CLEAN_WAIT_MAX_MS)
		r->clean_wait = CLEAN_WAIT_MAX_MS;
	return TXT_CLEAN_WAIT;
}

static void
late_clean_wait(struct txt_record *r)
{
	if (clock_mono_ms() >= r->clean_until)
		give_up(r);
	else
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
    [TXT_CHASE] = {"chase", 0, enter_chase, NULL, .cleans = true},
    [TXT_ZONE] = {"zone", 0, enter_zone, NULL, .cleans = true},
    [TXT_TURN] = {"turn", TURN_MS, enter_turn, late_turn, .cleans = true},
    [TXT_UPDATE] = {"update", 0, enter_update, NULL, .in_turn = true},
    [TXT_PROPAGATE] = {"propagate", 0, enter_propagate, NULL, .cleans = true},
    [TXT_PRESENT] = {"present", 0, enter_present, NULL, .cleans = true},
    [TXT_CLEAN_TURN] = {"clean-turn", TURN_MS, enter_clean_turn, give_up},
    [TXT_CLEAN] = {"clean", 0, enter_clean, NULL, .in_turn = true},
    [TXT_CLEAN_WAIT] = {"clean-wait", 0, enter_clean_wait, late_clean_wait},
    [TXT_GONE] = {"gone", 0, enter_gone, NULL},
};
static_assert(sizeof(states) / sizeof(states[0]) == TXT_STATE_COUNT, "a row for each state");

/* The one door. */
static void
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
	advance_later(r, TXT_CHASE);
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
