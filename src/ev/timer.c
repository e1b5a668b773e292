/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/timer.h"

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "ev/loop.h"

static const int64_t timer_max_ms = 3653LL * 24 * 3600 * 1000;

struct timer {
	struct event *event; /* behind this struct: one piece of memory for both */
	int64_t due;         /* microseconds of CLOCK_MONOTONIC */
	void (*fn)(void *arg);
	void *arg;
};

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
arm(struct timer *t, int64_t us)
{
	const struct timeval tv = {
	    .tv_sec = (time_t)(us / 1000000),
	    .tv_usec = (suseconds_t)(us % 1000000),
	};

	if (evtimer_add(t->event, &tv) != 0)
		abort();
}

/* libevent counts from the begin of its turn and by a clock of 4 ms steps, so it may be early: who
 * waits for a deadline would look at the clock and find that it has not come. */
static void
timer_fired(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;
	int64_t early = t->due - now();

	if (early > 0)
		arm(t, early);
	else
		t->fn(t->arg); /* may free t */
}

struct timer *
timer_new(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct timer *t = xcalloc(1, sizeof(*t) + event_get_struct_event_size());

	t->event = (struct event *)(t + 1);
	if (event_assign(t->event, loop_base(loop), -1, 0, timer_fired, t) != 0)
		abort(); /* for other arguments than these */
	t->fn = fn;
	t->arg = arg;
	return t;
}

void
timer_start(struct timer *t, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	if (ms > timer_max_ms)
		ms = timer_max_ms;
	t->due = now() + ms * 1000;
	arm(t, ms * 1000);
}

void
timer_stop(struct timer *t)
{
	evtimer_del(t->event);
}

bool
timer_running(const struct timer *t)
{
	return evtimer_pending(t->event, NULL) != 0;
}

void
timer_free(struct timer *t)
{
	if (t == NULL)
		return;
	event_del(t->event);
	event_debug_unassign(t->event);
	free(t);
}
