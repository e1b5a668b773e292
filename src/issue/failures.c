/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/failures.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/queue.h"
#include "base/random.h"

enum {
	PAUSE_FIRST_MS = 60 * 1000,
	PAUSE_MAX_MS = 60 * 60 * 1000,
	/* Nobody asked for so long after the pause: it counts as new. */
	FORGET_MS = 6 * PAUSE_MAX_MS,
	RETRY_AFTER_MAX_S = 7 * 24 * 60 * 60, /* no CA limits anyone for longer */
};

struct failure {
	TAILQ_ENTRY(failure) entry;
	char *key;
	struct err error;
	int64_t pause_ms; /* before jitter */
	int64_t until;    /* clock_mono_ms */
};

struct failures {
	struct map *by_key;
	TAILQ_HEAD(, failure) oldest_first; /* by the time of the last failure */
	size_t max;
};

struct failures *
failures_new(size_t max)
{
	struct failures *f = xcalloc(1, sizeof(*f));

	f->by_key = map_new();
	f->max = max;
	TAILQ_INIT(&f->oldest_first);
	return f;
}

static void
forget(struct failures *f, struct failure *n)
{
	if (n == NULL)
		return;
	TAILQ_REMOVE(&f->oldest_first, n, entry);
	map_remove(f->by_key, n->key, strlen(n->key));
	free(n->key);
	free(n);
}

void
failures_forget(struct failures *f)
{
	while (!TAILQ_EMPTY(&f->oldest_first))
		forget(f, TAILQ_FIRST(&f->oldest_first));
}

void
failures_free(struct failures *f)
{
	if (f == NULL)
		return;
	failures_forget(f);
	map_free(f->by_key);
	free(f);
}

static struct failure *
find(struct failures *f, const char *key)
{
	struct failure *n = map_get(f->by_key, key, strlen(key));

	if (n != NULL && clock_mono_ms() >= n->until + FORGET_MS) {
		forget(f, n);
		return NULL;
	}
	return n;
}

static struct failure *
find_or_make(struct failures *f, const char *key)
{
	struct failure *n = find(f, key);

	if (n != NULL)
		return n;
	if (map_count(f->by_key) >= f->max)
		forget(f, TAILQ_FIRST(&f->oldest_first));
	n = xcalloc(1, sizeof(*n));
	n->key = xstrdup(key);
	map_put(f->by_key, key, strlen(key), n);
	TAILQ_INSERT_TAIL(&f->oldest_first, n, entry);
	return n;
}

static int64_t
how_long(const struct failure *n)
{
	int64_t told = n->error.retry_after;
	int64_t asked = 1000 * (told > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : told);
	/* Up to a tenth more, so that what failed together is not tried together again. */
	int64_t pause = n->pause_ms + (int64_t)random_below((uint32_t)(n->pause_ms / 10) + 1);

	/* Whoever sets a limit knows when it ends. */
	if (n->error.kind == ERR_RATE_LIMITED && asked > 0)
		return asked;
	return asked > pause ? asked : pause;
}

void
failures_add(struct failures *f, const char *key, const struct err *e)
{
	struct failure *n = find_or_make(f, key);

	n->error = *e;
	n->error.told = true;
	n->pause_ms = n->pause_ms == 0 ? PAUSE_FIRST_MS : 2 * n->pause_ms;
	if (n->pause_ms > PAUSE_MAX_MS)
		n->pause_ms = PAUSE_MAX_MS;
	n->until = clock_mono_ms() + how_long(n);
	TAILQ_REMOVE(&f->oldest_first, n, entry);
	TAILQ_INSERT_TAIL(&f->oldest_first, n, entry);
}

bool
failures_check(struct failures *f, const char *key, struct err *e)
{
	const struct failure *n = find(f, key);
	int64_t left = n == NULL ? 0 : n->until - clock_mono_ms();

	if (left <= 0)
		return false;
	*e = n->error;
	e->retry_after = (left + 999) / 1000;
	return true;
}

void
failures_clear(struct failures *f, const char *key)
{
	forget(f, map_get(f->by_key, key, strlen(key)));
}

size_t
failures_count(const struct failures *f)
{
	return map_count(f->by_key);
}
