/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/timer.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "ev/loop.h"

struct timer {
	struct event *event;
	void (*fn)(void *arg);
	void *arg;
};

static void
timer_fired(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;

	t->fn(t->arg); /* may free t */
}

struct timer *
timer_new(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct timer *t = xcalloc(1, sizeof(*t));

	t->event = evtimer_new(loop_base(loop), timer_fired, t);
	if (t->event == NULL)
		abort(); /* out of memory, the only reason there is */
	t->fn = fn;
	t->arg = arg;
	return t;
}

void
timer_start(struct timer *t, int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (evtimer_add(t->event, &tv) != 0)
		abort();
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
	event_free(t->event);
	free(t);
}
