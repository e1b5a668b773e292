/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_commit.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/queue.h"
#include "ev/op.h"
#include "ev/timer.h"
#include "issue/store_sync.h"
#include "issue/store_write.h"

enum {
	GROUP_MS = 2,
	GROUP_MAX = 32, /* bounds the descriptors that are open at a time */
};

struct put {
	struct op op;
	TAILQ_ENTRY(put) entry;
	struct store_write write;
	store_put_fn *done; /* NULL: nobody waits any more */
	void *arg;
};
TAILQ_HEAD(puts, put);

struct store_commit {
	char *dir;
	struct store_index *index;
	struct timer *timer;
	struct puts waiting;
};

/* ---- the group ---- */

static void
sync_group(
    struct puts *group, size_t (*collect)(const struct store_write *w, struct store_sync *items))
{
	enum { EACH = (int)STORE_PARTS > STORE_WRITE_DIRS ? (int)STORE_PARTS : STORE_WRITE_DIRS };
	struct store_sync items[GROUP_MAX * EACH];
	struct put *p;
	size_t n = 0;
	size_t each = 0;

	TAILQ_FOREACH (p, group, entry)
		n += each = collect(&p->write, &items[n]);
	store_sync(items, n);
	n = 0;
	TAILQ_FOREACH (p, group, entry) {
		store_write_synced(&p->write, &items[n], each);
		n += each;
	}
}

static void
report(struct store_commit *c, struct put *p)
{
	bool ok = p->write.error.kind == ERR_NONE;

	if (ok)
		store_index_put(c->index, p->write.key, &p->write.facts);
	store_write_done(&p->write, c->dir);
	if (p->done != NULL) {
		op_end(&p->op);
		p->done(p->arg, ok ? NULL : &p->write.error);
	}
	free(p);
}

static void
commit_group(struct store_commit *c, struct puts *group)
{
	struct put *p;

	TAILQ_FOREACH (p, group, entry)
		store_write_temps(&p->write, c->dir);
	sync_group(group, store_write_sync_parts);
	TAILQ_FOREACH (p, group, entry)
		store_write_rename(&p->write, c->dir);
	sync_group(group, store_write_sync_dirs);
	while ((p = TAILQ_FIRST(group)) != NULL) {
		TAILQ_REMOVE(group, p, entry);
		report(c, p);
	}
}

static bool
is_in(const struct puts *group, const char *key)
{
	const struct put *p;

	TAILQ_FOREACH (p, group, entry)
		if (strcmp(p->write.key, key) == 0)
			return true;
	return false;
}

/* As many as make a group. Two of one key in it would write the same temporary files. */
static void
take_group(struct store_commit *c, struct puts *group)
{
	struct put *p;

	for (size_t n = 0; n < GROUP_MAX && (p = TAILQ_FIRST(&c->waiting)) != NULL; n++) {
		if (is_in(group, p->write.key))
			break;
		TAILQ_REMOVE(&c->waiting, p, entry);
		TAILQ_INSERT_TAIL(group, p, entry);
	}
}

static void
commit_some(void *arg)
{
	struct store_commit *c = arg;
	struct puts group = TAILQ_HEAD_INITIALIZER(group);

	take_group(c, &group);
	commit_group(c, &group);
	if (!TAILQ_EMPTY(&c->waiting))
		timer_start(c->timer, 0);
}

void
store_commit_flush(struct store_commit *c)
{
	while (!TAILQ_EMPTY(&c->waiting))
		commit_some(c);
	timer_stop(c->timer);
}

/* ---- the interface ---- */

struct store_commit *
store_commit_new(struct loop *loop, const char *dir, struct store_index *index)
{
	struct store_commit *c = xcalloc(1, sizeof(*c));

	c->dir = xstrdup(dir);
	c->index = index;
	c->timer = timer_new(loop, commit_some, c);
	TAILQ_INIT(&c->waiting);
	return c;
}

void
store_commit_free(struct store_commit *c)
{
	if (c == NULL)
		return;
	store_commit_flush(c);
	timer_free(c->timer);
	free(c->dir);
	free(c);
}

static void
put_cancel(struct op *op)
{
	((struct put *)op)->done = NULL;
}

void
store_commit_put(struct store_commit *c, const struct store_put *put, store_put_fn *done, void *arg,
    struct op **slot)
{
	struct put *p = xcalloc(1, sizeof(*p));

	store_write_init(&p->write, put);
	p->done = done;
	p->arg = arg;
	op_begin(&p->op, slot, put_cancel);
	TAILQ_INSERT_TAIL(&c->waiting, p, entry);
	if (!timer_running(c->timer))
		timer_start(c->timer, GROUP_MS);
}

bool
store_commit_waits(const struct store_commit *c, const char *key)
{
	return is_in(&c->waiting, key);
}
