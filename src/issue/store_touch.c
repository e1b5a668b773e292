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
#include "base/map.h"
#include "base/queue.h"
#include "ev/timer.h"
#include "issue/store_load.h"
#include "issue/store_meta.h"
#include "issue/store_path.h"
#include "issue/store_sync.h"

enum {
	WRITE_EVERY_S = 60 * 60,
	LOOK_MS = 60 * 1000,
	GROUP_MAX = 16, /* written in one go */
	AGAIN_MS = 1000,
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

struct store_touch {
	char *dir;
	struct store_index *index;
	struct map *by_key;
	struct touches oldest_first; /* by the first touch that is not written */
	struct timer *timer;
	size_t max;
};

/* ---- writing ---- */

/* One rewritten meta.json, until it is renamed. */
struct rewrite {
	struct touch *touch;
	int fd;
};

static void
forget(struct store_touch *t, struct touch *n)
{
	if (n == NULL)
		return;
	TAILQ_REMOVE(&t->oldest_first, n, entry);
	map_remove(t->by_key, n->key, strlen(n->key));
	free(n);
}

/* Opens the temporary file with the new text. -1: leave it, it is only a note. */
static int
write_temp(const struct store_touch *t, const struct touch *n)
{
	struct store_path path;
	struct file_stamp stamp;
	struct err e;
	struct meta_file *meta = store_load_meta(t->dir, n->key, &stamp, &e);

	if (meta == NULL)
		return -1;
	char *text = store_meta_fetched(meta, n->when, n->peer);
	ssize_t len = (ssize_t)strlen(text);
	store_path_temp(&path, t->dir, n->key, STORE_META);
	int fd = open(path.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && write(fd, text, (size_t)len) != len) {
		close(fd);
		unlink(path.text);
		fd = -1;
	}
	free(text);
	store_meta_free(meta);
	return fd;
}

static void
put_in_place(struct store_touch *t, const struct rewrite *w, bool synced)
{
	struct store_path from;
	struct store_path to;
	struct stat st;

	store_path_temp(&from, t->dir, w->touch->key, STORE_META);
	store_path_part(&to, t->dir, w->touch->key, STORE_META);
	if (!synced || fstat(w->fd, &st) != 0 || rename(from.text, to.text) != 0) {
		unlink(from.text);
	} else {
		struct file_stamp stamp = file_stamp_of(&st);
		store_index_rewritten(t->index, w->touch->key, &stamp, w->touch->when);
	}
	close(w->fd);
}

static void
write_group(struct store_touch *t, struct rewrite *group, size_t count)
{
	struct store_sync items[GROUP_MAX];

	for (size_t i = 0; i < count; i++) {
		group[i].fd = write_temp(t, group[i].touch);
		items[i] = (struct store_sync){.fd = group[i].fd};
	}
	store_sync(items, count);
	for (size_t i = 0; i < count; i++) {
		if (group[i].fd >= 0)
			put_in_place(t, &group[i], items[i].error == 0);
		forget(t, group[i].touch);
	}
}

/* Writes up to GROUP_MAX of those whose hour is over (or any). Returns how many. */
static size_t
write_some(struct store_touch *t, bool any)
{
	struct rewrite group[GROUP_MAX];
	struct touch *n;
	size_t count = 0;

	TAILQ_FOREACH (n, &t->oldest_first, entry) {
		if (count == GROUP_MAX)
			break;
		if (any || clock_wall() - n->written >= WRITE_EVERY_S)
			group[count++].touch = n;
	}
	write_group(t, group, count);
	return count;
}

static void
look(void *arg)
{
	struct store_touch *t = arg;
	bool more = write_some(t, false) == GROUP_MAX;

	if (!TAILQ_EMPTY(&t->oldest_first))
		timer_start(t->timer, more ? AGAIN_MS : LOOK_MS);
}

void
store_touch_flush(struct store_touch *t)
{
	while (write_some(t, true) > 0)
		;
}

/* ---- the interface ---- */

struct store_touch *
store_touch_new(struct loop *loop, const char *dir, struct store_index *index, size_t max)
{
	struct store_touch *t = xcalloc(1, sizeof(*t));

	t->dir = xstrdup(dir);
	t->index = index;
	t->by_key = map_new();
	t->timer = timer_new(loop, look, t);
	t->max = max;
	TAILQ_INIT(&t->oldest_first);
	return t;
}

void
store_touch_free(struct store_touch *t)
{
	if (t == NULL)
		return;
	while (!TAILQ_EMPTY(&t->oldest_first))
		forget(t, TAILQ_FIRST(&t->oldest_first));
	map_free(t->by_key);
	timer_free(t->timer);
	free(t->dir);
	free(t);
}

void
store_touch_add(
    struct store_touch *t, const char *key, int64_t when, const char *peer, int64_t written)
{
	struct touch *n = map_get(t->by_key, key, strlen(key));

	if (n == NULL) {
		if (map_count(t->by_key) >= t->max)
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
