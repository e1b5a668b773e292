/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one event loop. Everything runs on it in one thread.
 *
 * "After this turn": a task posted during a turn runs when the callbacks that
 * were due then have returned, and before the loop asks the kernel for more;
 * what is handed to loop_dispose is freed after those tasks. So nothing is freed
 * while one of its callbacks is on the stack.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/queue.h"

struct event_base;
struct loop;

struct loop *loop_new(struct err *e);
/* Runs what is still due after the turn, then frees. NULL is fine. */
void loop_free(struct loop *loop);
/* Runs until loop_stop; false if libevent failed. */
bool loop_run(struct loop *loop, struct err *e);
/* One turn: waits for an event at most (block) or only looks. For tests. */
void loop_turn(struct loop *loop, bool block);
void loop_stop(struct loop *loop);
/* Runs what was posted and frees what was disposed of, outside of any turn: on the way down, before
 * what it may touch is freed. */
void loop_settle(struct loop *loop);
/* The base, for the rooms that have libevent (ev, http); borrowed. */
struct event_base *loop_base(struct loop *loop);

typedef void loop_signal_fn(void *arg, int signo);
/* fn runs on the loop, not in signal context. At most once per signo. */
void loop_on_signal(struct loop *loop, int signo, loop_signal_fn *fn, void *arg);

/* Something to do after this turn. Embed it, zero it; it is not owned by the loop. */
struct task {
	TAILQ_ENTRY(task) entry;
	struct loop *loop; /* not NULL: posted */
	void (*fn)(void *arg);
	void *arg;
};
/* Posting what is posted already does nothing. */
void task_post(struct loop *loop, struct task *task, void (*fn)(void *arg), void *arg);
void task_cancel(struct task *task);

/* free_fn(ptr) after the tasks of this turn. Debug builds abort when the same ptr is given twice in
 * a turn and name both places. */
#define LOOP_STRING_(x) #x
#define LOOP_STRING(x)  LOOP_STRING_(x)
#define loop_dispose(loop, free_fn, ptr)                                                           \
	loop_dispose_at((loop), (free_fn), (ptr), __FILE__ ":" LOOP_STRING(__LINE__))
void loop_dispose_at(struct loop *loop, void (*free_fn)(void *ptr), void *ptr, const char *where);
