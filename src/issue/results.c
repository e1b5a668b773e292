/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/results.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/queue.h"

enum { KEEP_MS = 60 * 60 * 1000 };

struct kept {
	TAILQ_ENTRY(kept) entry;
	char *key;
	char *pem;
	struct result result;
	int64_t until; /* clock_mono_ms */
};

struct results {
	struct map *by_key;
	TAILQ_HEAD(, kept) oldest_first;
	size_t bytes;
	size_t max_count;
	size_t max_bytes;
};

struct results *
results_new(size_t max_count, size_t max_bytes)
{
	struct results *r = xcalloc(1, sizeof(*r));

	r->by_key = map_new();
	r->max_count = max_count;
	r->max_bytes = max_bytes;
	TAILQ_INIT(&r->oldest_first);
	return r;
}

static void
forget(struct results *r, struct kept *n)
{
	if (n == NULL)
		return;
	TAILQ_REMOVE(&r->oldest_first, n, entry);
	map_remove(r->by_key, n->key, strlen(n->key));
	r->bytes -= n->result.pem_len;
	free(n->key);
	free(n->pem);
	free(n);
}

void
results_free(struct results *r)
{
	if (r == NULL)
		return;
	while (!TAILQ_EMPTY(&r->oldest_first))
		forget(r, TAILQ_FIRST(&r->oldest_first));
	map_free(r->by_key);
	free(r);
}

/* All are kept equally long, so the list is in the order of their ends. */
static void
forget_expired(struct results *r)
{
	struct kept *n;

	while ((n = TAILQ_FIRST(&r->oldest_first)) != NULL && n->until <= clock_mono_ms())
		forget(r, n);
}

void
results_put(struct results *r, const char *key, const struct result *result)
{
	forget(r, map_get(r->by_key, key, strlen(key)));
	forget_expired(r);
	if (result->pem_len > r->max_bytes || r->max_count == 0)
		return;
	while (map_count(r->by_key) >= r->max_count || r->bytes + result->pem_len > r->max_bytes)
		forget(r, TAILQ_FIRST(&r->oldest_first));

	struct kept *n = xcalloc(1, sizeof(*n));
	n->key = xstrdup(key);
	n->pem = xmemdup(result->pem, result->pem_len);
	n->result = *result;
	n->result.pem = n->pem;
	n->until = clock_mono_ms() + KEEP_MS;
	map_put(r->by_key, key, strlen(key), n);
	TAILQ_INSERT_TAIL(&r->oldest_first, n, entry);
	r->bytes += n->result.pem_len;
}

const struct result *
results_get(struct results *r, const char *key)
{
	forget_expired(r);
	const struct kept *n = map_get(r->by_key, key, strlen(key));
	return n == NULL ? NULL : &n->result;
}

void
results_taken(struct results *r, const char *key)
{
	struct kept *n = map_get(r->by_key, key, strlen(key));

	if (n != NULL && n->result.once)
		forget(r, n);
}

void
results_forget(struct results *r, bool (*match)(void *arg, const struct leaf_info *leaf), void *arg)
{
	struct kept *n, *next;

	TAILQ_FOREACH_SAFE (n, &r->oldest_first, entry, next)
		if (match(arg, &n->result.leaf))
			forget(r, n);
}

size_t
results_count(const struct results *r)
{
	return map_count(r->by_key);
}
