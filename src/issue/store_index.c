/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/queue.h"

struct indexed {
	TAILQ_ENTRY(indexed) entry;
	TAILQ_ENTRY(indexed) kept; /* if it has a chain */
	char *key;
	char *directory_url;
	char *profile;
	char *pem; /* or NULL */
	struct store_facts facts;
};

struct store_index {
	struct map *by_key;
	TAILQ_HEAD(indexed_list, indexed) lru; /* asked for last: at the head */
	struct indexed_list kept;              /* those with a chain, likewise */
	size_t max;
	size_t pem_max;
	size_t pem_bytes;
};

struct store_index *
store_index_new(size_t max, size_t pem_max)
{
	struct store_index *x = xcalloc(1, sizeof(*x));

	x->by_key = map_new();
	x->max = max;
	x->pem_max = pem_max;
	TAILQ_INIT(&x->lru);
	TAILQ_INIT(&x->kept);
	return x;
}

static void
drop_pem(struct store_index *x, struct indexed *n)
{
	if (n->pem == NULL)
		return;
	TAILQ_REMOVE(&x->kept, n, kept);
	x->pem_bytes -= n->facts.pem_len;
	free(n->pem);
	n->pem = NULL;
	n->facts.pem = NULL;
	n->facts.pem_len = 0;
}

static void
forget(struct store_index *x, struct indexed *n)
{
	if (n == NULL)
		return;
	drop_pem(x, n);
	TAILQ_REMOVE(&x->lru, n, entry);
	map_remove(x->by_key, n->key, strlen(n->key));
	free(n->key);
	free(n->directory_url);
	free(n->profile);
	free(n);
}

void
store_index_free(struct store_index *x)
{
	if (x == NULL)
		return;
	while (!TAILQ_EMPTY(&x->lru))
		forget(x, TAILQ_FIRST(&x->lru));
	map_free(x->by_key);
	free(x);
}

const struct store_facts *
store_index_get(struct store_index *x, const char *key)
{
	struct indexed *n = map_get(x->by_key, key, strlen(key));

	if (n == NULL)
		return NULL;
	TAILQ_REMOVE(&x->lru, n, entry);
	TAILQ_INSERT_HEAD(&x->lru, n, entry);
	if (n->pem != NULL) {
		TAILQ_REMOVE(&x->kept, n, kept);
		TAILQ_INSERT_HEAD(&x->kept, n, kept);
	}
	return &n->facts;
}

const struct store_facts *
store_index_put(struct store_index *x, const char *key, const struct store_facts *facts)
{
	struct indexed *n = xcalloc(1, sizeof(*n));

	n->key = xstrdup(key);
	n->directory_url = xstrdup(facts->directory_url == NULL ? "" : facts->directory_url);
	n->profile = xstrdup(facts->profile == NULL ? "" : facts->profile);
	n->facts = *facts;
	n->facts.directory_url = n->directory_url;
	n->facts.profile = n->profile;
	n->facts.pem = NULL;
	n->facts.pem_len = 0;
	store_index_remove(x, key);
	if (!TAILQ_EMPTY(&x->lru) && map_count(x->by_key) >= x->max)
		forget(x, TAILQ_LAST(&x->lru, indexed_list));
	map_put(x->by_key, n->key, strlen(n->key), n);
	TAILQ_INSERT_HEAD(&x->lru, n, entry);
	return &n->facts;
}

void
store_index_keep_pem(struct store_index *x, const char *key, const char *pem, size_t len)
{
	struct indexed *n = map_get(x->by_key, key, strlen(key));

	if (n == NULL || len > x->pem_max)
		return;
	drop_pem(x, n);
	while (x->pem_bytes + len > x->pem_max)
		drop_pem(x, TAILQ_LAST(&x->kept, indexed_list));
	n->pem = xmemdup(pem, len);
	n->facts.pem = n->pem;
	n->facts.pem_len = len;
	x->pem_bytes += len;
	TAILQ_INSERT_HEAD(&x->kept, n, kept);
}

void
store_index_remove(struct store_index *x, const char *key)
{
	forget(x, map_get(x->by_key, key, strlen(key)));
}

void
store_index_rewritten(
    struct store_index *x, const char *key, const struct file_stamp *meta, int64_t fetched)
{
	struct indexed *n = map_get(x->by_key, key, strlen(key));

	if (n == NULL)
		return;
	n->facts.meta = *meta;
	n->facts.fetched = fetched;
}

size_t
store_index_count(const struct store_index *x)
{
	return map_count(x->by_key);
}
