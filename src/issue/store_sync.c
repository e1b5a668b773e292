/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_sync.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/queue.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "issue/store_ring.h"

struct file {
	struct group *group;
	int fd;
	int error;
	enum { TO_DO, PUSHED, DONE } state;
};

struct group {
	struct op op;
	TAILQ_ENTRY(group) entry;
	struct store_sync *sync;
	struct store_sync_item *items;
	store_sync_fn *done; /* NULL: cancelled */
	void *arg;
	size_t count;
	size_t left; /* files not DONE */
	struct file files[];
};

struct store_sync {
	struct loop *loop;
	struct store_ring *ring; /* NULL: blocking */
	struct task task;        /* something was started */
	TAILQ_HEAD(, group) groups;
};

static void
file_done(struct file *f, int error)
{
	f->error = error;
	f->state = DONE;
	f->group->left--;
}

/* ---- a group's end ---- */

static void
close_and_free(struct group *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->files[i].fd >= 0)
			close(g->files[i].fd);
	free(g);
}

static void
report(struct group *g)
{
	if (g->done == NULL) {
		close_and_free(g);
		return;
	}
	for (size_t i = 0; i < g->count; i++)
		g->items[i].error = g->files[i].error;
	op_end(&g->op);
	g->done(g->arg);
	free(g);
}

static struct group *
first_done(struct store_sync *s)
{
	struct group *g;

	TAILQ_FOREACH (g, &s->groups, entry)
		if (g->left == 0)
			break;
	return g;
}

static void
report_all(struct store_sync *s)
{
	struct group *g;

	while ((g = first_done(s)) != NULL) {
		TAILQ_REMOVE(&s->groups, g, entry);
		report(g);
	}
}

/* ---- blocking ---- */

static void
block_for(struct group *g)
{
	/* All of them on their way first: then the first fsync waits for one commit of the file
	 * system's journal, and the others find theirs done. Directories refuse this; they come
	 * with the journal anyway. */
	for (size_t i = 0; i < g->count; i++)
		if (g->files[i].state == TO_DO &&
		    sync_file_range(g->files[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE) != 0)
			break;
	for (size_t i = 0; i < g->count; i++)
		if (g->files[i].state == TO_DO)
			file_done(&g->files[i], fsync(g->files[i].fd) == 0 ? 0 : errno);
}

/* ---- io_uring ---- */

static void
push_all(struct store_sync *s)
{
	struct group *g;

	TAILQ_FOREACH (g, &s->groups, entry) {
		for (size_t i = 0; i < g->count; i++) {
			struct file *f = &g->files[i];
			if (f->state != TO_DO)
				continue;
			if (!store_ring_push(s->ring, f->fd, f))
				return;
			f->state = PUSHED;
		}
	}
}

/* The kernel gave up before it began, as when it cannot have another thread. Any other failure is
 * the disk's, and stays one: a second fsync would not report it again. */
static bool
never_began(int error)
{
	return error == ECANCELED || error == EAGAIN || error == EINTR;
}

static bool
reap(struct store_sync *s, bool block)
{
	void *token;
	int error;

	if (!store_ring_reap(s->ring, block, &token, &error))
		return false;
	struct file *f = token;
	if (never_began(error))
		error = fsync(f->fd) == 0 ? 0 : errno;
	file_done(f, error);
	return true;
}

/* Nothing is in flight, so what was pushed is still ours. */
static void
leave_ring(struct store_sync *s)
{
	struct group *g;

	log_info(NULL, "io_uring takes no more requests: writes wait for the disk from now on");
	store_ring_free(s->ring);
	s->ring = NULL;
	TAILQ_FOREACH (g, &s->groups, entry)
		for (size_t i = 0; i < g->count; i++)
			if (g->files[i].state == PUSHED)
				g->files[i].state = TO_DO;
}

/* ---- both ---- */

static void
advance(void *arg)
{
	struct store_sync *s = arg;
	struct group *g;

	if (s->ring != NULL) {
		push_all(s);
		if (!store_ring_submit(s->ring))
			leave_ring(s);
	}
	if (s->ring == NULL)
		TAILQ_FOREACH (g, &s->groups, entry)
			block_for(g);
	report_all(s);
}

static void
ready(void *arg)
{
	struct store_sync *s = arg;

	while (reap(s, false))
		continue;
	advance(s);
}

void
store_sync_finish(struct store_sync *s)
{
	while (!TAILQ_EMPTY(&s->groups)) {
		task_cancel(&s->task);
		if (s->ring != NULL)
			reap(s, true);
		advance(s);
	}
}

/* ---- the interface ---- */

struct store_sync *
store_sync_new(struct loop *loop, bool blocking)
{
	struct store_sync *s = xcalloc(1, sizeof(*s));
	struct err e;

	s->loop = loop;
	TAILQ_INIT(&s->groups);
	if (!blocking)
		s->ring = store_ring_new(loop, ready, s, &e);
	if (!blocking && s->ring == NULL)
		log_info(NULL, "writes wait for the disk: %s", e.detail);
	return s;
}

void
store_sync_free(struct store_sync *s)
{
	const struct group *g;

	if (s == NULL)
		return;
	TAILQ_FOREACH (g, &s->groups, entry)
		assert(g->done == NULL);
	store_sync_finish(s);
	task_cancel(&s->task);
	store_ring_free(s->ring);
	free(s);
}

bool
store_sync_blocks(const struct store_sync *s)
{
	return s->ring == NULL;
}

/* What the kernel has not been given yet it need not do. */
static void
group_cancel(struct op *op)
{
	struct group *g = (struct group *)op;

	g->done = NULL;
	for (size_t i = 0; i < g->count; i++)
		if (g->files[i].state == TO_DO)
			file_done(&g->files[i], 0);
	if (g->left > 0)
		return;
	TAILQ_REMOVE(&g->sync->groups, g, entry);
	close_and_free(g);
}

void
store_sync_start(struct store_sync *s, struct store_sync_item *items, size_t count,
    store_sync_fn *done, void *arg, struct op **slot)
{
	struct group *g = xcalloc(1, sizeof(*g) + count * sizeof(g->files[0]));

	g->sync = s;
	g->items = items;
	g->done = done;
	g->arg = arg;
	g->count = g->left = count;
	for (size_t i = 0; i < count; i++) {
		g->files[i] = (struct file){.group = g, .fd = items[i].fd};
		if (items[i].fd < 0)
			file_done(&g->files[i], 0);
	}
	op_begin(&g->op, slot, group_cancel);
	TAILQ_INSERT_TAIL(&s->groups, g, entry);
	task_post(s->loop, &s->task, advance, s);
}
