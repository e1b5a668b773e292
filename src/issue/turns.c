/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/turns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/queue.h"
#include "ev/loop.h"
#include "ev/op.h"

struct line {
	char *key;
	TAILQ_HEAD(, turn) turns; /* the first has it, or is about to be told */
};

struct turn {
	struct op op;
	TAILQ_ENTRY(turn) entry;
	struct turns *owner;
	struct line *line;
	struct task task;
	turn_fn *fn;
	void *arg;
};

struct turns {
	struct loop *loop;
	struct map *lines;
};

struct turns *
turns_new(struct loop *loop)
{
	struct turns *t = xcalloc(1, sizeof(*t));

	t->loop = loop;
	t->lines = map_new();
	return t;
}

void
turns_free(struct turns *t)
{
	if (t == NULL)
		return;
	assert(map_count(t->lines) == 0);
	map_free(t->lines);
	free(t);
}

static void
grant(void *arg)
{
	struct turn *turn = arg;

	op_end(&turn->op);
	turn->fn(turn->arg, turn);
}

static void
call_first(struct line *line)
{
	struct turn *first = TAILQ_FIRST(&line->turns);

	task_post(first->owner->loop, &first->task, grant, first);
}

static struct line *
line_get(struct turns *t, const char *key)
{
	struct line *line = map_get(t->lines, key, strlen(key));

	if (line == NULL) {
		line = xcalloc(1, sizeof(*line));
		line->key = xstrdup(key);
		TAILQ_INIT(&line->turns);
		map_put(t->lines, key, strlen(key), line);
	}
	return line;
}

void
turn_release(struct turn *turn)
{
	if (turn == NULL)
		return;
	struct line *line = turn->line;
	struct turns *owner = turn->owner;
	bool first = turn == TAILQ_FIRST(&line->turns);

	TAILQ_REMOVE(&line->turns, turn, entry);
	task_cancel(&turn->task);
	free(turn);
	if (TAILQ_EMPTY(&line->turns)) {
		map_remove(owner->lines, line->key, strlen(line->key));
		free(line->key);
		free(line);
	} else if (first) {
		call_first(line);
	}
}

static void
cancel(struct op *op)
{
	turn_release((struct turn *)op);
}

void
turns_wait(struct turns *t, const char *key, turn_fn *fn, void *arg, struct op **slot)
{
	struct turn *turn = xcalloc(1, sizeof(*turn));
	struct line *line = line_get(t, key);
	bool alone = TAILQ_EMPTY(&line->turns);

	turn->owner = t;
	turn->line = line;
	turn->fn = fn;
	turn->arg = arg;
	op_begin(&turn->op, slot, cancel);
	TAILQ_INSERT_TAIL(&line->turns, turn, entry);
	if (alone)
		call_first(line);
}

size_t
turns_keys(const struct turns *t)
{
	return map_count(t->lines);
}
