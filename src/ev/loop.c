/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/loop.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"

struct loop_signal {
	TAILQ_ENTRY(loop_signal) entry;
	struct event *event;
	loop_signal_fn *fn;
	void *arg;
};

struct disposal {
	TAILQ_ENTRY(disposal) entry;
	void (*free_fn)(void *ptr);
	void *ptr;
	const char *where;
};

struct loop {
	struct event_base *base;
	struct event *end_of_turn;
	bool ending; /* end_of_turn is active */
	bool stop;
	TAILQ_HEAD(, task) tasks;
	TAILQ_HEAD(, disposal) disposals;
	TAILQ_HEAD(, loop_signal) signals;
};

static void
libevent_log(int severity, const char *msg)
{
	if (severity == EVENT_LOG_ERR)
		log_error(NULL, "libevent: %s", msg);
	else
		log_debug(NULL, "libevent: %s", msg);
}

/* libevent would call exit(1) and leave no trace of where. */
static void
libevent_fatal(int code)
{
	log_error(NULL, "libevent: fatal error %d", code);
	abort();
}

/* What libevent keeps for the whole process; before the first base. */
static void
libevent_prepare(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	event_set_log_callback(libevent_log);
	event_set_fatal_callback(libevent_fatal);
#ifdef ACMEMS_DEBUG_CHECKS
	event_enable_debug_mode();
#endif
	signal(SIGPIPE, SIG_IGN);
}

static struct event_base *
base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (config == NULL)
		return NULL;
	/* One epoll_ctl a turn and descriptor instead of one for each change. It forbids dup()ed
	 * descriptors in the base. */
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static void
end_turn(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	event_base_loopbreak(loop->base);
}

/* There is something to do after this turn. The event goes behind those that are active now, and
 * ends the turn when its time comes. Left alone, event_base_loop() would go on, polls included, for
 * as long as there is always something active: callbacks libevent puts off can see to that. */
static void
ask_for_end(struct loop *loop)
{
	if (loop->ending)
		return;
	loop->ending = true;
	event_active(loop->end_of_turn, EV_TIMEOUT, 0);
}

struct loop *
loop_new(struct err *e)
{
	struct event_base *base;
	struct loop *loop;

	libevent_prepare();
	base = base_new();
	if (base == NULL) {
		err_set(e, ERR_INTERNAL, "libevent cannot make an event base");
		return NULL;
	}
	loop = xcalloc(1, sizeof(*loop));
	loop->base = base;
	loop->end_of_turn = event_new(base, -1, 0, end_turn, loop);
	if (loop->end_of_turn == NULL)
		abort();
	TAILQ_INIT(&loop->tasks);
	TAILQ_INIT(&loop->disposals);
	TAILQ_INIT(&loop->signals);
	return loop;
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

/* Runs the tasks posted before this call. A marker at the end bounds the round, so that tasks which
 * post themselves again do not keep the loop from its events. */
static void
run_tasks(struct loop *loop)
{
	struct task marker = {0};
	struct task *task;

	TAILQ_INSERT_TAIL(&loop->tasks, &marker, entry);
	while ((task = TAILQ_FIRST(&loop->tasks)) != &marker) {
		TAILQ_REMOVE(&loop->tasks, task, entry);
		task->loop = NULL;
		task->fn(task->arg);
	}
	TAILQ_REMOVE(&loop->tasks, &marker, entry);
}

static void
run_disposals(struct loop *loop)
{
	struct disposal *d;

	while ((d = TAILQ_FIRST(&loop->disposals)) != NULL) {
		TAILQ_REMOVE(&loop->disposals, d, entry);
		d->free_fn(d->ptr);
		free(d);
	}
}

void
loop_settle(struct loop *loop)
{
	while (!TAILQ_EMPTY(&loop->tasks) || !TAILQ_EMPTY(&loop->disposals)) {
		run_tasks(loop);
		run_disposals(loop);
	}
}

static int
turn(struct loop *loop, bool block)
{
	int r = event_base_loop(loop->base, block ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK);

	event_del(loop->end_of_turn);
	loop->ending = false;
	run_tasks(loop);
	run_disposals(loop);
	return r;
}

void
loop_turn(struct loop *loop, bool block)
{
	turn(loop, block);
}

bool
loop_run(struct loop *loop, struct err *e)
{
	int r;

	loop->stop = false;
	while (!loop->stop) {
		r = turn(loop, true);
		if (r < 0)
			return err_set(e, ERR_INTERNAL, "the event loop failed");
		/* Nothing can ever happen again: better an end than a busy wait. */
		if (r == 1 && TAILQ_EMPTY(&loop->tasks) && !loop->stop)
			return err_set(e, ERR_INTERNAL, "the event loop has nothing to wait for");
	}
	return true;
}

void
loop_stop(struct loop *loop)
{
	loop->stop = true;
}

static void
signal_arrived(evutil_socket_t signo, short what, void *arg)
{
	struct loop_signal *s = arg;

	s->fn(s->arg, (int)signo);
}

void
loop_on_signal(struct loop *loop, int signo, loop_signal_fn *fn, void *arg)
{
	struct loop_signal *s = xcalloc(1, sizeof(*s));

	s->fn = fn;
	s->arg = arg;
	s->event = evsignal_new(loop->base, signo, signal_arrived, s);
	if (s->event == NULL || event_add(s->event, NULL) != 0)
		abort();
	TAILQ_INSERT_TAIL(&loop->signals, s, entry);
}

static void
free_signals(struct loop *loop)
{
	struct loop_signal *s;

	while ((s = TAILQ_FIRST(&loop->signals)) != NULL) {
		TAILQ_REMOVE(&loop->signals, s, entry);
		event_free(s->event);
		free(s);
	}
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	free_signals(loop);
	/* What was disposed of may leave callbacks behind that libevent (evdns for one) has put off
	 * until the next turn and that free memory. */
	do {
		run_tasks(loop);
		run_disposals(loop);
		event_del(loop->end_of_turn);
		loop->ending = false;
		event_base_loop(loop->base, EVLOOP_NONBLOCK);
	} while (!TAILQ_EMPTY(&loop->tasks) || !TAILQ_EMPTY(&loop->disposals));
	event_free(loop->end_of_turn);
	event_base_free(loop->base);
	free(loop);
}

void
task_post(struct loop *loop, struct task *task, void (*fn)(void *arg), void *arg)
{
	if (task->loop != NULL)
		return;
	task->loop = loop;
	task->fn = fn;
	task->arg = arg;
	TAILQ_INSERT_TAIL(&loop->tasks, task, entry);
	ask_for_end(loop);
}

void
task_cancel(struct task *task)
{
	if (task->loop == NULL)
		return;
	TAILQ_REMOVE(&task->loop->tasks, task, entry);
	task->loop = NULL;
}

#ifdef ACMEMS_DEBUG_CHECKS
static void
refuse_second_disposal(const struct loop *loop, const void *ptr, const char *where)
{
	const struct disposal *d;

	TAILQ_FOREACH (d, &loop->disposals, entry) {
		if (d->ptr != ptr)
			continue;
		log_error(NULL, "disposed twice: first at %s, again at %s", d->where, where);
		abort();
	}
}
#endif

void
loop_dispose_at(struct loop *loop, void (*free_fn)(void *ptr), void *ptr, const char *where)
{
	struct disposal *d = xcalloc(1, sizeof(*d));

#ifdef ACMEMS_DEBUG_CHECKS
	refuse_second_disposal(loop, ptr, where);
#endif
	d->free_fn = free_fn;
	d->ptr = ptr;
	d->where = where;
	TAILQ_INSERT_TAIL(&loop->disposals, d, entry);
	ask_for_end(loop);
}
