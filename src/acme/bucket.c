/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/bucket.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/queue.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"

/* ---- tokens ---- */

void
tokens_init(struct tokens *t, double rate, unsigned burst, int64_t now)
{
	t->rate = rate;
	t->burst = burst > 0 ? (double)burst : 1.0;
	t->level = t->burst;
	t->at = now;
}

static double
tokens_level(const struct tokens *t, int64_t now)
{
	double level = t->level + t->rate * (double)(now - t->at) / 1000.0;

	return level < t->burst ? level : t->burst;
}

bool
tokens_take(struct tokens *t, int64_t now)
{
	if (t->rate <= 0)
		return true;
	t->level = tokens_level(t, now);
	t->at = now;
	if (t->level < 1.0)
		return false;
	t->level -= 1.0;
	return true;
}

int64_t
tokens_wait(const struct tokens *t, int64_t now)
{
	double level;

	if (t->rate <= 0)
		return 0;
	level = tokens_level(t, now);
	/* Rounded up: a moment too early would be in vain. */
	return level >= 1.0 ? 0 : (int64_t)((1.0 - level) * 1000.0 / t->rate) + 1;
}

/* ---- those who wait ---- */

struct waiter {
	struct op op;
	TAILQ_ENTRY(waiter) entry;
	struct bucket *bucket;
	enum bucket_class class;
	bucket_done_fn *done;
	void *arg;
};
TAILQ_HEAD(waiters, waiter);

struct bucket {
	struct loop *loop;
	struct tokens tokens;
	struct waiters waiters[BUCKET_CLASS_COUNT];
	struct task task;
	struct timer *timer;
};

static struct waiter *
bucket_first(struct bucket *b)
{
	for (int i = 0; i < BUCKET_CLASS_COUNT; i++)
		if (!TAILQ_EMPTY(&b->waiters[i]))
			return TAILQ_FIRST(&b->waiters[i]);
	return NULL;
}

static void
waiter_free(struct waiter *w)
{
	TAILQ_REMOVE(&w->bucket->waiters[w->class], w, entry);
	free(w);
}

static void
waiter_cancel(struct op *op)
{
	waiter_free((struct waiter *)op);
}

/* A completion may take again or cancel others: the list is looked at anew each time. */
static void
bucket_serve(void *arg)
{
	struct bucket *b = arg;
	struct waiter *w;

	while ((w = bucket_first(b)) != NULL && tokens_take(&b->tokens, clock_mono_ms())) {
		bucket_done_fn *done = w->done;
		void *done_arg = w->arg;

		op_end(&w->op);
		waiter_free(w);
		done(done_arg);
	}
	if (w != NULL)
		timer_start(b->timer, tokens_wait(&b->tokens, clock_mono_ms()));
}

void
bucket_take(
    struct bucket *b, enum bucket_class class, bucket_done_fn *done, void *arg, struct op **slot)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->bucket = b;
	w->class = class;
	w->done = done;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&b->waiters[class], w, entry);
	op_begin(&w->op, slot, waiter_cancel);
	if (!timer_running(b->timer))
		task_post(b->loop, &b->task, bucket_serve, b);
}

struct bucket *
bucket_new(struct loop *loop, double rate, unsigned burst)
{
	struct bucket *b = xcalloc(1, sizeof(*b));

	b->loop = loop;
	tokens_init(&b->tokens, rate, burst, clock_mono_ms());
	for (int i = 0; i < BUCKET_CLASS_COUNT; i++)
		TAILQ_INIT(&b->waiters[i]);
	b->timer = timer_new(loop, bucket_serve, b);
	return b;
}

void
bucket_free(struct bucket *b)
{
	struct waiter *w;

	if (b == NULL)
		return;
	while ((w = bucket_first(b)) != NULL)
		op_cancel(w->op.slot);
	task_cancel(&b->task);
	timer_free(b->timer);
	free(b);
}
