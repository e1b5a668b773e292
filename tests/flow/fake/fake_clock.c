/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_clock.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/queue.h"
#include "base/random.h"
#include "ev/loop.h"
#include "ev/timer.h"

enum { TURNS = 60 }; /* longer than any chain of tasks without a timer in it */

static const int64_t MONO_START = 1000 * 1000;
static const int64_t WALL_START = 1790000000;

static int64_t mono = MONO_START;
static int64_t wall_offset;
static uint32_t chosen;
static size_t alive;

/* ---- base/clock.c ---- */

int64_t
clock_mono_ms(void)
{
	return mono;
}

int64_t
clock_wall(void)
{
	return WALL_START + wall_offset + (mono - MONO_START) / 1000;
}

void
fake_clock_jump(int64_t seconds)
{
	wall_offset += seconds;
}

void
fake_clock_stall(int64_t ms)
{
	mono += ms;
}

/* ---- base/random.c ---- */

void
random_bytes(void *p, size_t n)
{
	static uint32_t state = 1;
	unsigned char *to = p;

	for (size_t i = 0; i < n; i++) {
		state = state * 1664525u + 1013904223u;
		to[i] = (unsigned char)(state >> 24);
	}
}

uint32_t
random_below(uint32_t bound)
{
	return chosen % bound;
}

void
fake_random_set(uint32_t value)
{
	chosen = value;
}

/* ---- ev/timer.c ---- */

struct timer {
	TAILQ_ENTRY(timer) entry;
	void (*fn)(void *arg);
	void *arg;
	int64_t due;
	bool running;
};

/* By time; those of the same moment in the order they were started. */
static TAILQ_HEAD(, timer) timers = TAILQ_HEAD_INITIALIZER(timers);

struct timer *
timer_new(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct timer *t = xcalloc(1, sizeof(*t));

	(void)loop;
	t->fn = fn;
	t->arg = arg;
	alive++;
	return t;
}

void
timer_start(struct timer *t, int64_t ms)
{
	struct timer *other;

	timer_stop(t);
	t->due = mono + (ms > 0 ? ms : 0);
	t->running = true;
	TAILQ_FOREACH (other, &timers, entry)
		if (other->due > t->due)
			break;
	if (other != NULL)
		TAILQ_INSERT_BEFORE(other, t, entry);
	else
		TAILQ_INSERT_TAIL(&timers, t, entry);
}

void
timer_stop(struct timer *t)
{
	if (t->running)
		TAILQ_REMOVE(&timers, t, entry);
	t->running = false;
}

bool
timer_running(const struct timer *t)
{
	return t->running;
}

void
timer_free(struct timer *t)
{
	if (t == NULL)
		return;
	timer_stop(t);
	alive--;
	free(t);
}

/* ---- time passes ---- */

size_t
fake_timers_running(void)
{
	const struct timer *t;
	size_t n = 0;

	TAILQ_FOREACH (t, &timers, entry)
		n++;
	return n;
}

size_t
fake_timers_alive(void)
{
	return alive;
}

void
fake_clock_reset(void)
{
	mono = MONO_START;
	wall_offset = 0;
	chosen = 0;
}

/* Without descriptors or signals, loop_run ends when the last task has run. With them it would
 * wait. */
static void
turns(struct loop *loop)
{
	int flags = EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE;

	if (event_base_get_num_events(loop_base(loop), (unsigned)flags) == 0) {
		loop_run(loop, NULL);
		return;
	}
	for (int i = 0; i < TURNS; i++)
		loop_turn(loop, false);
}

/* Fires the first timer due by then; false if there is none. */
static bool
fire(struct loop *loop, int64_t by)
{
	struct timer *t = TAILQ_FIRST(&timers);

	if (t == NULL || t->due > by)
		return false;
	if (t->due > mono)
		mono = t->due;
	timer_stop(t);
	t->fn(t->arg);
	turns(loop);
	return true;
}

void
fake_clock_settle(struct loop *loop)
{
	turns(loop);
	while (fire(loop, mono))
		continue;
}

void
fake_clock_advance(struct loop *loop, int64_t ms)
{
	int64_t end = mono + ms;

	turns(loop);
	while (fire(loop, end))
		continue;
	mono = end;
	turns(loop);
}

bool
fake_clock_until(struct loop *loop, const bool *done, int64_t ms)
{
	int64_t end = mono + ms;

	turns(loop);
	while (!*done && fire(loop, end))
		continue;
	if (!*done)
		mono = end;
	turns(loop);
	return *done;
}
