/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/held.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/conf.h"
#include "base/alloc.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "issue/store.h"
#include "issue/store_path.h"

/* A store is asked one thing after the other. */
struct walk {
	struct loop *loop;
	struct store *store;
	const char *dir;
	held_fn *fn;
	void *arg;
	struct op *op;
	char key[SHA384_HEX]; /* of the last entry */
	bool found;
	bool remove;
	bool ok;
	struct err error; /* the first */
};

static void
keep_error(struct walk *w, const struct err *e)
{
	if (w->ok)
		w->error = *e;
	w->ok = false;
}

/* On a loop of our own: what a store answers comes after some turns. */
static void
await(struct walk *w)
{
	while (w->op != NULL)
		loop_turn(w->loop, true);
}

static void
removed(void *arg, const struct err *e)
{
	if (e != NULL)
		keep_error(arg, e);
}

static void
found(void *arg, const struct store_entry *entry, const struct err *e)
{
	struct walk *w = arg;
	struct store_path path;

	w->found = entry != NULL;
	if (e != NULL)
		keep_error(w, e);
	if (entry == NULL)
		return;
	snprintf(w->key, sizeof(w->key), "%s", entry->key);

	struct held h = {
	    .store = w->store,
	    .entry = entry,
	    .path = store_path_entry(&path, w->dir, entry->key),
	};
	if (!store_entry_names(entry, &h.names))
		h.names.count = 0;
	w->fn(w->arg, &h);
	w->remove = h.remove;
	identifiers_done(&h.names);
}

static void
walk(struct walk *w)
{
	char cursor[SHA384_HEX] = "";

	do {
		w->found = w->remove = false;
		w->store->kind->next(w->store, cursor, found, w, &w->op);
		await(w);
		snprintf(cursor, sizeof(cursor), "%s", w->key);
		if (!w->remove)
			continue;
		w->store->kind->remove(w->store, cursor, removed, w, &w->op);
		await(w);
	} while (w->found);
}

/* One that was never made holds nothing; one we may not read may hold anything. */
static bool
is_there(const char *dir, struct err *e, bool *ret_there)
{
	*ret_there = access(dir, R_OK | X_OK) == 0;
	return *ret_there || errno == ENOENT ||
	    err_errno(e, ERR_CONFIG, errno, "cannot read %s", dir);
}

/* Nor may what lies below. */
static void
check_prefixes(struct walk *w)
{
	struct store_path path;
	char prefix[STORE_PREFIX_LEN + 1];
	struct err e;
	bool there;

	for (unsigned i = 0; i <= 0xff; i++) {
		snprintf(prefix, sizeof(prefix), "%02x", i);
		store_path_prefix(&path, w->dir, prefix);
		if (!is_there(path.text, &e, &there))
			keep_error(w, &e);
	}
}

static void
unreadable(void *arg, const char *store, const char *text)
{
	struct err e;

	err_set(&e, ERR_CONFIG, "%s", text);
	keep_error(arg, &e);
}

static void
look_into(struct walk *w, const struct storage_conf *conf)
{
	struct store_file_conf file = conf->file;
	struct err e;
	bool there;

	if (!is_there(file.directory, &e, &there))
		keep_error(w, &e);
	if (!there)
		return;
	file.as_is = true;
	file.blocking = true;
	file.warn = unreadable;
	file.warn_arg = w;
	w->dir = file.directory;
	w->key[0] = '\0';
	w->store = store_file_new(w->loop, conf->name, &file, conf->renew_within_s, &e);
	if (w->store == NULL) {
		keep_error(w, &e);
		return;
	}
	check_prefixes(w);
	walk(w);
	store_free(w->store);
}

bool
held_each(const struct conf *conf, held_fn *fn, void *arg, struct err *e)
{
	struct walk w = {.fn = fn, .arg = arg, .ok = true};

	w.loop = loop_new(e);
	if (w.loop == NULL)
		return false;
	for (size_t i = 0; i < conf->storage_count; i++)
		if (conf->storages[i].type == STORE_FILE)
			look_into(&w, &conf->storages[i]);
	loop_free(w.loop);
	if (!w.ok && e != NULL)
		*e = w.error;
	return w.ok;
}
