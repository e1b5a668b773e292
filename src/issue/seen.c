/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/queue.h"

struct entry {
	TAILQ_ENTRY(entry) entry;
	struct seen_csr csr;
	char *key;
};

struct seen {
	struct map *by_key;
	TAILQ_HEAD(entries, entry) lru; /* asked for last: at the head */
	size_t names;
	size_t max_names;
};

struct seen *
seen_new(size_t max_names)
{
	struct seen *s = xcalloc(1, sizeof(*s));

	s->by_key = map_new();
	s->max_names = max_names;
	TAILQ_INIT(&s->lru);
	return s;
}

static void
forget(struct seen *s, struct entry *n)
{
	TAILQ_REMOVE(&s->lru, n, entry);
	map_remove(s->by_key, n->key, strlen(n->key));
	s->names -= n->csr.names.count;
	identifiers_done(&n->csr.names);
	free(n->key);
	free(n);
}

void
seen_free(struct seen *s)
{
	struct entry *n;

	if (s == NULL)
		return;
	while ((n = TAILQ_FIRST(&s->lru)) != NULL)
		forget(s, n);
	map_free(s->by_key);
	free(s);
}

const struct seen_csr *
seen_get(struct seen *s, const char *key)
{
	struct entry *n = map_get(s->by_key, key, strlen(key));

	if (n == NULL)
		return NULL;
	TAILQ_REMOVE(&s->lru, n, entry);
	TAILQ_INSERT_HEAD(&s->lru, n, entry);
	return &n->csr;
}

void
seen_put(struct seen *s, const char *key, const struct seen_csr *csr)
{
	if (map_get(s->by_key, key, strlen(key)) != NULL || csr->names.count > s->max_names)
		return;
	while (s->names + csr->names.count > s->max_names)
		forget(s, TAILQ_LAST(&s->lru, entries));

	struct entry *n = xcalloc(1, sizeof(*n));
	n->key = xstrdup(key);
	identifiers_copy(&n->csr.names, &csr->names);
	memcpy(n->csr.spki_sha256, csr->spki_sha256, sizeof(n->csr.spki_sha256));
	map_put(s->by_key, key, strlen(key), n);
	TAILQ_INSERT_HEAD(&s->lru, n, entry);
	s->names += csr->names.count;
}

size_t
seen_names(const struct seen *s)
{
	return s->names;
}
