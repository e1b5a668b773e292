/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store `file`: the vtable, and answers through completions.
 * Reading is store_load.c, writing store_commit.c, the note of the last fetch
 * store_touch.c, the removal of old entries store_sweep.c, barred keys store_bars.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "issue/store.h"
#include "issue/store_bars.h"
#include "issue/store_census.h"
#include "issue/store_commit.h"
#include "issue/store_load.h"
#include "issue/store_path.h"
#include "issue/store_sweep.h"
#include "issue/store_sync.h"
#include "issue/store_touch.h"

enum {
	DIRECTORY_MAX = PATH_MAX - 128, /* room for the key and a file name */
	PEM_MAX = 8 * 1024 * 1024,      /* chains kept in memory: some 2,000 */
};

struct store_file {
	struct store base;
	struct loop *loop;
	char *dir;
	struct store_index *index;
	struct store_census *census;
	struct store_loader *loader;
	struct store_sync *sync;
	struct store_commit *commit;
	struct store_touch *touch;
	struct store_sweep *sweep;
	void (*warn)(void *arg, const char *store, const char *text);
	void *warn_arg;
};

static void
warn(void *arg, const char *text)
{
	const struct store_file *s = arg;

	if (s->warn != NULL)
		s->warn(s->warn_arg, s->base.name, text);
}

/* ---- an operation: it is done at the end of the turn ---- */

struct file_op {
	struct op op;
	struct task task;
	struct store_reader reader;
	struct store_file *store;
	char key[SHA384_HEX];
	store_get_fn *got;
	store_put_fn *done;
	void *arg;
};

static void
file_op_free(struct file_op *o)
{
	task_cancel(&o->task);
	store_reader_cancel(&o->reader);
	free(o);
}

static void
file_op_cancel(struct op *op)
{
	file_op_free((struct file_op *)op);
}

static struct file_op *
file_op_start(struct store *s, const char *key, void (*run)(void *arg), void *arg, struct op **slot)
{
	struct file_op *o = xcalloc(1, sizeof(*o));

	o->store = (struct store_file *)s;
	memcpy(o->key, key, strnlen(key, SHA384_HEX - 1));
	o->arg = arg;
	op_begin(&o->op, slot, file_op_cancel);
	task_post(o->store->loop, &o->task, run, o);
	return o;
}

/* ---- get ---- */

static void
run_get(void *arg)
{
	struct file_op *o = arg;
	struct store_file *s = o->store;
	struct store_entry entry;
	struct err e;

	/* Nobody is told a certificate that a crash would take back. */
	if (store_commit_read_later(s->commit, o->key, &o->reader, run_get, o))
		return;
	enum store_found found = store_load(s->loader, s->index, o->key, &entry, &e);
	if (found == STORE_DAMAGED)
		warn(s, e.detail);
	op_end(&o->op);
	o->got(o->arg, found == STORE_FOUND ? &entry : NULL, found == STORE_UNREADABLE ? &e : NULL);
	file_op_free(o);
}

static void
file_get(struct store *s, const char *key, store_get_fn *done, void *arg, struct op **slot)
{
	file_op_start(s, key, run_get, arg, slot)->got = done;
}

/* ---- next ---- */

static void
run_next(void *arg)
{
	struct file_op *o = arg;
	struct store_file *s = o->store;
	struct store_entry entry;
	struct err e;
	enum store_found found = STORE_ABSENT;

	while (found != STORE_FOUND && store_key_after(s->dir, o->key, o->key)) {
		found = store_load_all(s->loader, o->key, &entry, &e);
		if (found == STORE_UNREADABLE)
			warn(s, e.detail);
	}
	op_end(&o->op);
	o->got(o->arg, found == STORE_FOUND ? &entry : NULL, NULL);
	file_op_free(o);
}

static void
file_next(struct store *s, const char *cursor, store_get_fn *done, void *arg, struct op **slot)
{
	file_op_start(s, cursor, run_next, arg, slot)->got = done;
}

/* ---- put, remove ---- */

static void
file_put(
    struct store *s, const struct store_put *put, store_put_fn *done, void *arg, struct op **slot)
{
	store_commit_put(((struct store_file *)s)->commit, put, done, arg, slot);
}

static bool
is_busy(void *arg, const char *key)
{
	const struct store_file *s = arg;

	return store_commit_waits(s->commit, key);
}

static void
forget(void *arg, const char *key)
{
	struct store_file *s = arg;

	store_index_remove(s->index, key);
	store_census_remove(s->census, key);
	store_touch_forget(s->touch, key);
}

static void
run_remove(void *arg)
{
	struct file_op *o = arg;
	struct store_file *s = o->store;
	struct err e;

	if (store_commit_waits(s->commit, o->key))
		store_commit_flush(s->commit);
	forget(s, o->key);
	bool ok = store_entry_remove(s->dir, o->key, &e);
	op_end(&o->op);
	o->done(o->arg, ok ? NULL : &e);
	file_op_free(o);
}

static void
file_remove(struct store *s, const char *key, store_put_fn *done, void *arg, struct op **slot)
{
	file_op_start(s, key, run_remove, arg, slot)->done = done;
}

/* ---- barred keys ---- */

static void
file_bar(
    struct store *s, const uint8_t spki_sha256[32], store_put_fn *done, void *arg, struct op **slot)
{
	struct store_file *f = (struct store_file *)s;

	store_bars_add(f->loop, f->sync, f->dir, spki_sha256, done, arg, slot);
}

static void
was_barred(void *arg, const uint8_t spki_sha256[32])
{
	store_bar_key(arg, spki_sha256);
}

/* ---- touch, flush ---- */

static void
file_touch(struct store *s, const char *key, int64_t when, const char *peer)
{
	struct store_file *f = (struct store_file *)s;
	const struct store_facts *known = store_index_get(f->index, key);

	/* Without meta.json there is nothing to write it into: an entry of the original. */
	if (known != NULL && known->has_meta)
		store_touch_add(f->touch, key, when, peer, known->fetched);
}

static void
file_flush(struct store *s)
{
	struct store_file *f = (struct store_file *)s;

	store_commit_flush(f->commit);
	store_touch_flush(f->touch);
}

/* ---- figures ---- */

static void
met(void *arg, const struct store_entry *entry)
{
	struct store_file *s = arg;
	const struct leaf_info *leaf = &entry->meta.leaf;
	struct identifiers names;
	char names_key[CENSUS_NAMES];
	bool known = store_entry_names(entry, &names);

	store_census_names(known ? &names : NULL, entry->key, names_key);
	store_census_add(s->census, entry->key, names_key, leaf->not_before, leaf->not_after);
	identifiers_done(&names);
}

static void
passed(void *arg)
{
	struct store_file *s = arg;

	store_census_passed(s->census);
}

static void
file_figures(const struct store *s, int64_t now, struct store_figures *ret)
{
	const struct store_file *f = (const struct store_file *)s;

	store_census_figures(f->census, s->renew_within, now, ret);
}

/* ---- life ---- */

static void
file_keep(struct store *s, int64_t keep)
{
	store_sweep_keep(((struct store_file *)s)->sweep, keep);
}

static void
file_free(struct store *s)
{
	struct store_file *f = (struct store_file *)s;

	store_sweep_free(f->sweep);
	store_touch_free(f->touch);
	store_commit_free(f->commit);
	store_sync_free(f->sync);
	store_loader_free(f->loader);
	store_census_free(f->census);
	store_index_free(f->index);
	free(f->dir);
	free(f->base.name);
	free(f);
}

static const struct store_kind file_kind = {
    .config_name = "file",
    .keeps = true,
    .get = file_get,
    .put = file_put,
    .remove = file_remove,
    .next = file_next,
    .bar = file_bar,
    .touch = file_touch,
    .figures = file_figures,
    .flush = file_flush,
    .keep = file_keep,
    .free = file_free,
};

/* Without the slashes at its end: paths stand in messages. */
static char *
directory_copy(const char *dir)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	return xstrndup(dir, len);
}

struct store *
store_file_new(struct loop *loop, const char *name, const struct store_file_conf *conf,
    int64_t renew_within, struct err *e)
{
	size_t max = conf->index_max == 0 ? STORE_INDEX_MAX : conf->index_max;

	if (conf->directory[0] == '\0' || strlen(conf->directory) > DIRECTORY_MAX) {
		err_set(
		    e, ERR_CONFIG, "directory: a path of 1 to %d bytes is wanted", DIRECTORY_MAX);
		return NULL;
	}
	if (!conf->as_is && !file_mkdirs(conf->directory, 0700, e))
		return NULL;

	struct store_file *s = xcalloc(1, sizeof(*s));
	s->dir = directory_copy(conf->directory);
	s->base = (struct store){&file_kind, xstrdup(name), renew_within, s->dir};
	s->loop = loop;
	s->warn = conf->warn;
	s->warn_arg = conf->warn_arg;
	s->index = store_index_new(max, PEM_MAX);
	s->census = store_census_new();
	s->loader = store_loader_new(s->dir);
	s->sync = store_sync_new(loop, conf->blocking);
	s->commit = store_commit_new(loop, s->dir, s->index, s->census, s->sync);
	s->touch = store_touch_new(&(struct store_touch_conf){
	    .loop = loop,
	    .dir = s->dir,
	    .index = s->index,
	    .sync = s->sync,
	    .commit = s->commit,
	    .max = max,
	});
	if (!conf->as_is)
		s->sweep = store_sweep_new(&(struct store_sweep_conf){
		    .loop = loop,
		    .dir = s->dir,
		    .keep = conf->keep,
		    .busy = is_busy,
		    .removed = forget,
		    .met = met,
		    .passed = passed,
		    .arg = s,
		    .warn = warn,
		});
	if (store_bars_load(s->dir, was_barred, &s->base, e))
		return &s->base;
	store_free(&s->base);
	return NULL;
}
