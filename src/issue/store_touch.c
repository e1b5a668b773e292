/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_touch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/queue.h"
#include "ev/op.h"
#include "ev/timer.h"
#include "issue/store_commit.h"
#include "issue/store_load.h"
#include "issue/store_meta.h"
#include "issue/store_path.h"
#include "issue/store_sync.h"

enum {
	WRITE_EVERY_S = 60 * 60,
	LOOK_MS = 60 * 1000,
	GROUP_MAX = 8, /* read and written in one go */
	AGAIN_MS = 500,
	/* On the way down nobody waits for an answer, but somebody for the end. */
	FLUSH_MS = 5000,
	FLUSH_GROUP_MAX = 128, /* bounds the descriptors that are open at a time */
	FLUSH_GROUP_MS = 250,
	PEER_MAX = 100,
};

struct touch {
	TAILQ_ENTRY(touch) entry;
	char key[SHA384_HEX];
	int64_t when;
	int64_t written;
	char peer[PEER_MAX];
};
TAILQ_HEAD(touches, touch);

/* One meta.json that is rewritten. */
struct rewrite {
	struct touch *touch; /* ours, and no longer among those remembered */
	struct file_stamp read;
	int fd; /* of the temporary file, or -1: leave it, it is only a note */
};

struct store_touch {
	struct store_touch_conf conf;
	char *dir;
	struct map *by_key;
	struct touches oldest_first; /* by the first touch that is not written */
	struct timer *timer;
	struct rewrite *group; /* under way; room for both: `room` */
	struct store_sync_item *items;
	size_t room;
	size_t count;
	struct op *syncing;
};

/* ---- writing ---- */

static void
detach(struct store_touch *t, struct touch *n)
{
	TAILQ_REMOVE(&t->oldest_first, n, entry);
	map_remove(t->by_key, n->key, strlen(n->key));
}

static void
forget(struct store_touch *t, struct touch *n)
{
	if (n == NULL)
		return;
	detach(t, n);
	free(n);
}

static int
write_temp(const char *path, const char *text)
{
	ssize_t len = (ssize_t)strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && write(fd, text, (size_t)len) != len) {
		close(fd);
		unlink(path);
		fd = -1;
	}
	return fd;
}

static void
write_new(const struct store_touch *t, struct rewrite *w)
{
	const struct touch *n = w->touch;
	struct store_path path;
	struct err e;
	struct meta_file *meta = store_load_meta(t->dir, n->key, &w->read, &e);

	w->fd = -1;
	if (meta == NULL)
		return;
	char *text = store_meta_fetched(meta, n->when, n->peer);
	w->fd = write_temp(store_path_temp(&path, t->dir, n->key, STORE_META), text);
	free(text);
	store_meta_free(meta);
}

/* Nobody replaced what was read: its description would end up beside another certificate. */
static bool
is_unchanged(const struct store_touch *t, const struct rewrite *w)
{
	struct store_path path;
	struct file_stamp now;
	struct stat st;

	if (stat(store_path_part(&path, t->dir, w->touch->key, STORE_META), &st) != 0)
		return false;
	now = file_stamp_of(&st);
	return file_stamp_equal(&now, &w->read);
}

static void
put_in_place(struct store_touch *t, const struct rewrite *w, bool synced)
{
	const struct touch *n = w->touch;
	struct store_path from;
	struct store_path to;
	struct stat st;

	/* The temporary file has the same name, so it is theirs now. */
	if (store_commit_waits(t->conf.commit, n->key))
		return;
	store_path_temp(&from, t->dir, n->key, STORE_META);
	store_path_part(&to, t->dir, n->key, STORE_META);
	if (!synced || !is_unchanged(t, w) || fstat(w->fd, &st) != 0 ||
	    rename(from.text, to.text) != 0) {
		unlink(from.text);
	} else {
		struct file_stamp stamp = file_stamp_of(&st);
		store_index_rewritten(t->conf.index, n->key, &stamp, n->when);
	}
}

static void
synced(void *arg)
{
	struct store_touch *t = arg;

	for (size_t i = 0; i < t->count; i++) {
		struct rewrite *w = &t->group[i];
		if (w->fd >= 0) {
			put_in_place(t, w, t->items[i].error == 0);
			close(w->fd);
		}
		free(w->touch);
	}
	t->count = 0;
}

static void
make_room(struct store_touch *t, size_t room)
{
	if (room <= t->room)
		return;
	t->group = xreallocarray(t->group, room, sizeof(*t->group));
	t->items = xreallocarray(t->items, room, sizeof(*t->items));
	t->room = room;
}

/* Takes up to max of those whose hour is over (or any). */
static void
take_group(struct store_touch *t, bool any, size_t max)
{
	struct touch *n;
	struct touch *next;

	for (n = TAILQ_FIRST(&t->oldest_first); n != NULL && t->count < max; n = next) {
		next = TAILQ_NEXT(n, entry);
		if (!any && clock_wall() - n->written < WRITE_EVERY_S)
			continue;
		if (store_commit_waits(t->conf.commit, n->key))
			continue;
		detach(t, n);
		t->group[t->count++].touch = n;
	}
}

static void
start_group(struct store_touch *t, bool any, size_t max)
{
	make_room(t, max);
	take_group(t, any, max);
	for (size_t i = 0; i < t->count; i++) {
		write_new(t, &t->group[i]);
		t->items[i] = (struct store_sync_item){.fd = t->group[i].fd};
	}
	if (t->count > 0)
		store_sync_start(t->conf.sync, t->items, t->count, synced, t, &t->syncing);
}

static void
look(void *arg)
{
	struct store_touch *t = arg;

	if (t->syncing == NULL)
		start_group(t, false, GROUP_MAX);
	if (!TAILQ_EMPTY(&t->oldest_first))
		timer_start(t->timer, t->count == GROUP_MAX ? AGAIN_MS : LOOK_MS);
}

static void
finish(struct store_touch *t)
{
	if (t->syncing != NULL)
		store_sync_finish(t->conf.sync);
}

/* Nearly all of what a group costs is the wait for the disk, which is one for all of its files as
 * long as their data is on its way before. */
static void
send_off(const struct store_touch *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->group[i].fd >= 0)
			sync_file_range(t->group[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* As many at once as a disk that is quick enough for them takes. */
void
store_touch_flush(struct store_touch *t)
{
	int64_t until = clock_mono_ms() + FLUSH_MS;
	size_t max = GROUP_MAX;
	size_t n;

	finish(t);
	do {
		int64_t began = clock_mono_ms();

		start_group(t, true, max);
		send_off(t);
		n = t->count;
		finish(t);
		if (clock_mono_ms() - began > FLUSH_GROUP_MS)
			max = GROUP_MAX;
		else if (max < FLUSH_GROUP_MAX)
			max *= 2;
	} while (n > 0 && clock_mono_ms() < until);
	if (!TAILQ_EMPTY(&t->oldest_first) && n > 0)
		log_warning(NULL, "%s: no time left to note when %zu entries were fetched last",
		    t->dir, map_count(t->by_key));
}

/* ---- the interface ---- */

struct store_touch *
store_touch_new(const struct store_touch_conf *conf)
{
	struct store_touch *t = xcalloc(1, sizeof(*t));

	t->conf = *conf;
	t->dir = xstrdup(conf->dir);
	t->by_key = map_new();
	t->timer = timer_new(conf->loop, look, t);
	TAILQ_INIT(&t->oldest_first);
	return t;
}

void
store_touch_free(struct store_touch *t)
{
	if (t == NULL)
		return;
	finish(t);
	while (!TAILQ_EMPTY(&t->oldest_first))
		forget(t, TAILQ_FIRST(&t->oldest_first));
	map_free(t->by_key);
	timer_free(t->timer);
	free(t->group);
	free(t->items);
	free(t->dir);
	free(t);
}

void
store_touch_add(
    struct store_touch *t, const char *key, int64_t when, const char *peer, int64_t written)
{
	struct touch *n = map_get(t->by_key, key, strlen(key));

	if (n == NULL) {
		if (map_count(t->by_key) >= t->conf.max)
			return;
		n = xcalloc(1, sizeof(*n));
		snprintf(n->key, sizeof(n->key), "%s", key);
		n->written = written;
		map_put(t->by_key, n->key, strlen(n->key), n);
		TAILQ_INSERT_TAIL(&t->oldest_first, n, entry);
	}
	n->when = when;
	snprintf(n->peer, sizeof(n->peer), "%s", peer == NULL ? "" : peer);
	if (!timer_running(t->timer))
		timer_start(t->timer, LOOK_MS);
}

void
store_touch_forget(struct store_touch *t, const char *key)
{
	forget(t, map_get(t->by_key, key, strlen(key)));
}
