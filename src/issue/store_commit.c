/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_commit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"
#include "issue/store_census.h"
#include "issue/store_sync.h"
#include "issue/store_write.h"

enum {
	GROUP_MS = 2,
	GROUP_MAX = 32, /* bounds the descriptors that are open at a time */
	SLICE = 4,      /* puts that take a step within one turn: some 100 us */
	SYNC_EACH =
	    (int)STORE_PARTS > (int)STORE_WRITE_DIRS ? (int)STORE_PARTS : (int)STORE_WRITE_DIRS,
};

struct put {
	struct op op;
	TAILQ_ENTRY(put) entry;
	struct store_write write;
	char names[CENSUS_NAMES];
	store_put_fn *done; /* NULL: nobody waits any more */
	void *arg;
};
TAILQ_HEAD(puts, put);

enum state {
	IDLE,
	GATHERING,
	WRITING,
	SYNCING,
	RENAMING,
	SYNCING_DIRS,
	REPORTING,
	REPORTED,
	STATES,
};

struct store_commit {
	struct loop *loop;
	char *dir;
	struct store_index *index;
	struct store_census *census;
	struct store_sync *sync;
	bool fix_modes;
	enum state state;
	struct timer *timer;
	struct puts waiting;
	struct puts group;  /* under way */
	struct put *cursor; /* the next of the group to take this state's step */
	struct task slice;
	struct op *syncing;
	struct store_sync_item items[GROUP_MAX * SYNC_EACH];
	size_t item_count;
	TAILQ_HEAD(, store_reader) readers;
};

static void move(struct store_commit *c, enum state state);

/* ---- keys ---- */

static bool
is_in(const struct puts *group, const char *key)
{
	const struct put *p;

	TAILQ_FOREACH (p, group, entry)
		if (strcmp(p->write.key, key) == 0)
			return true;
	return false;
}

bool
store_commit_waits(const struct store_commit *c, const char *key)
{
	return is_in(&c->group, key) || is_in(&c->waiting, key);
}

/* ---- idle, gathering ---- */

/* Also the end of a group. Whoever was waiting all that time has waited long enough. */
static enum state
enter_idle(struct store_commit *c)
{
	return TAILQ_EMPTY(&c->waiting) ? IDLE : WRITING;
}

static enum state
enter_gathering(struct store_commit *c)
{
	timer_start(c->timer, GROUP_MS);
	return GATHERING;
}

static void
gathered(void *arg)
{
	move(arg, WRITING);
}

/* ---- steps of each put, some of them in a turn ---- */

static void take_slice(void *arg);

static void
start_slices(struct store_commit *c)
{
	c->cursor = TAILQ_FIRST(&c->group);
	task_post(c->loop, &c->slice, take_slice, c);
}

/* As many as make a group. Two of one key in it would write the same temporary files. */
static enum state
enter_writing(struct store_commit *c)
{
	struct put *p;

	for (size_t n = 0; n < GROUP_MAX && (p = TAILQ_FIRST(&c->waiting)) != NULL; n++) {
		if (is_in(&c->group, p->write.key))
			break;
		TAILQ_REMOVE(&c->waiting, p, entry);
		TAILQ_INSERT_TAIL(&c->group, p, entry);
	}
	start_slices(c);
	return WRITING;
}

static void
write_temps(struct store_commit *c, struct put *p)
{
	store_write_temps(&p->write, c->dir, c->fix_modes);
}

static enum state
enter_renaming(struct store_commit *c)
{
	start_slices(c);
	return RENAMING;
}

static void
rename_parts(struct store_commit *c, struct put *p)
{
	store_write_rename(&p->write, c->dir);
}

static enum state
enter_reporting(struct store_commit *c)
{
	start_slices(c);
	return REPORTING;
}

static void
stored(struct store_commit *c, const struct put *p)
{
	const struct store_facts *facts = &p->write.facts;

	store_index_put(c->index, p->write.key, facts);
	store_census_add(
	    c->census, p->write.key, p->names, facts->leaf.not_before, facts->leaf.not_after);
}

static void
report(struct store_commit *c, struct put *p)
{
	bool ok = p->write.error.kind == ERR_NONE;

	TAILQ_REMOVE(&c->group, p, entry);
	if (ok)
		stored(c, p);
	store_write_done(&p->write);
	if (p->done != NULL) {
		op_end(&p->op);
		p->done(p->arg, ok ? NULL : &p->write.error);
	}
	free(p);
}

/* A state of its own, so that what readers put does not find us idle. */
static enum state
enter_reported(struct store_commit *c)
{
	struct store_reader *r;

	while ((r = TAILQ_FIRST(&c->readers)) != NULL) {
		store_reader_cancel(r);
		r->fn(r->arg);
	}
	return IDLE;
}

/* ---- syncs of the whole group ---- */

static void synced(void *arg);

static void
start_sync(struct store_commit *c,
    size_t (*collect)(const struct store_write *w, struct store_sync_item *))
{
	const struct put *p;

	c->item_count = 0;
	TAILQ_FOREACH (p, &c->group, entry)
		c->item_count += collect(&p->write, &c->items[c->item_count]);
	store_sync_start(c->sync, c->items, c->item_count, synced, c, &c->syncing);
}

static enum state
enter_syncing(struct store_commit *c)
{
	start_sync(c, store_write_sync_parts);
	return SYNCING;
}

static enum state
enter_syncing_dirs(struct store_commit *c)
{
	start_sync(c, store_write_sync_dirs);
	return SYNCING_DIRS;
}

static void
synced(void *arg)
{
	struct store_commit *c = arg;
	size_t each = c->state == SYNCING ? (size_t)STORE_PARTS : (size_t)STORE_WRITE_DIRS;
	const struct store_sync_item *items = c->items;
	struct put *p;

	TAILQ_FOREACH (p, &c->group, entry) {
		store_write_synced(&p->write, items, each);
		items += each;
	}
	move(c, c->state == SYNCING ? RENAMING : REPORTING);
}

/* ---- the table ---- */

static const struct {
	const char *name;
	enum state (*enter)(struct store_commit *c); /* returns where to go on, or itself */
	void (*each)(struct store_commit *c, struct put *p);
	enum state next; /* after each of the group */
} states[] = {
    [IDLE] = {"idle", enter_idle},
    [GATHERING] = {"gathering", enter_gathering},
    [WRITING] = {"writing", enter_writing, write_temps, SYNCING},
    [SYNCING] = {"syncing", enter_syncing},
    [RENAMING] = {"renaming", enter_renaming, rename_parts, SYNCING_DIRS},
    [SYNCING_DIRS] = {"syncing directories", enter_syncing_dirs},
    [REPORTING] = {"reporting", enter_reporting, report, REPORTED},
    [REPORTED] = {"reported", enter_reported},
};
static_assert(sizeof(states) / sizeof(states[0]) == STATES, "a row for each state");

static void
move(struct store_commit *c, enum state state)
{
	do {
		log_debug(NULL, "%s: %s -> %s", c->dir, states[c->state].name, states[state].name);
		c->state = state;
		state = states[state].enter(c);
	} while (state != c->state);
}

static void
take_slice(void *arg)
{
	struct store_commit *c = arg;

	for (int n = 0; n < SLICE && c->cursor != NULL; n++) {
		struct put *p = c->cursor;
		c->cursor = TAILQ_NEXT(p, entry);
		states[c->state].each(c, p);
	}
	if (c->cursor == NULL)
		move(c, states[c->state].next);
	else
		task_post(c->loop, &c->slice, take_slice, c);
}

void
store_commit_flush(struct store_commit *c)
{
	timer_stop(c->timer);
	if (c->state == GATHERING)
		move(c, WRITING);
	while (c->state != IDLE) {
		if (states[c->state].each == NULL) {
			store_sync_finish(c->sync);
			continue;
		}
		task_cancel(&c->slice);
		take_slice(c);
	}
}

/* ---- the interface ---- */

struct store_commit *
store_commit_new(struct loop *loop, const char *dir, struct store_index *index,
    struct store_census *census, struct store_sync *sync)
{
	struct store_commit *c = xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->dir = xstrdup(dir);
	c->index = index;
	c->census = census;
	c->sync = sync;
	c->fix_modes = store_write_umask_bites();
	c->timer = timer_new(loop, gathered, c);
	TAILQ_INIT(&c->waiting);
	TAILQ_INIT(&c->group);
	TAILQ_INIT(&c->readers);
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
	store_census_names(put->meta->names, put->key, p->names);
	p->done = done;
	p->arg = arg;
	op_begin(&p->op, slot, put_cancel);
	TAILQ_INSERT_TAIL(&c->waiting, p, entry);
	if (c->state == IDLE)
		move(c, GATHERING);
}

/* ---- readers ---- */

bool
store_commit_read_later(struct store_commit *c, const char *key, struct store_reader *reader,
    void (*fn)(void *arg), void *arg)
{
	if (c->state < RENAMING || !is_in(&c->group, key))
		return false;
	*reader = (struct store_reader){.commit = c, .fn = fn, .arg = arg};
	TAILQ_INSERT_TAIL(&c->readers, reader, entry);
	return true;
}

void
store_reader_cancel(struct store_reader *reader)
{
	if (reader->commit == NULL)
		return;
	TAILQ_REMOVE(&reader->commit->readers, reader, entry);
	reader->commit = NULL;
}
