/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_sweep.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ev/timer.h"
#include "issue/store_load.h"
#include "issue/store_path.h"

enum {
	FIRST_MS = 1000, /* a start has better things to do */
	TICK_MS = 100,
	TICK_ENTRIES = 8, /* each costs two readings of a directory, and a parse */
	AGAIN_MS = 3 * 60 * 60 * 1000,
	HALF_WRITTEN_S = 24 * 60 * 60, /* at least so old, whatever keep says */
};

struct store_sweep {
	struct store_sweep_conf conf;
	char *dir;
	struct store_loader *loader;
	struct timer *timer;
	char cursor[SHA384_HEX];
};

/* The directory's age tells when something was last put there. */
static bool
is_stale_directory(const struct store_sweep *s, const char *key)
{
	struct store_path path;
	struct stat st;
	int64_t keep = s->conf.keep > HALF_WRITTEN_S ? s->conf.keep : HALF_WRITTEN_S;

	if (stat(store_path_entry(&path, s->dir, key), &st) != 0)
		return false;
	return st.st_mtim.tv_sec + keep < clock_wall();
}

static bool
is_over(struct store_sweep *s, const char *key)
{
	struct store_entry entry;

	switch (store_load_all(s->loader, key, &entry, NULL)) {
	case STORE_FOUND:
		if (entry.meta.leaf.not_after + s->conf.keep < clock_wall())
			return true;
		s->conf.met(s->conf.arg, &entry);
		return false;
	case STORE_ABSENT:
	case STORE_DAMAGED:
		return is_stale_directory(s, key);
	case STORE_UNREADABLE:
		break;
	}
	return false;
}

static void
visit(struct store_sweep *s, const char *key)
{
	struct err e;

	if (s->conf.busy(s->conf.arg, key) || !is_over(s, key))
		return;
	s->conf.removed(s->conf.arg, key);
	if (!store_entry_remove(s->dir, key, &e) && s->conf.warn != NULL)
		s->conf.warn(s->conf.arg, e.detail);
}

static void
tick(void *arg)
{
	struct store_sweep *s = arg;
	char key[SHA384_HEX];

	for (int i = 0; i < TICK_ENTRIES; i++) {
		if (!store_key_after(s->dir, s->cursor, key)) {
			s->cursor[0] = '\0';
			s->conf.passed(s->conf.arg);
			timer_start(s->timer, AGAIN_MS);
			return;
		}
		visit(s, key);
		snprintf(s->cursor, sizeof(s->cursor), "%s", key);
	}
	timer_start(s->timer, TICK_MS);
}

struct store_sweep *
store_sweep_new(const struct store_sweep_conf *conf)
{
	struct store_sweep *s = xcalloc(1, sizeof(*s));

	s->conf = *conf;
	s->dir = xstrdup(conf->dir);
	s->loader = store_loader_new(conf->dir);
	s->timer = timer_new(conf->loop, tick, s);
	timer_start(s->timer, FIRST_MS);
	return s;
}

void
store_sweep_keep(struct store_sweep *s, int64_t keep)
{
	s->conf.keep = keep;
}

void
store_sweep_free(struct store_sweep *s)
{
	if (s == NULL)
		return;
	timer_free(s->timer);
	store_loader_free(s->loader);
	free(s->dir);
	free(s);
}
