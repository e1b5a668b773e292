/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/queue.h"

/* Thousands of them, so without the room that an identifier has for the longest of names. */
struct entry {
	TAILQ_ENTRY(entry) entry;
	uint8_t spki_sha256[32];
	size_t count;
	char *names; /* points into key */
	char key[];  /* and, one after the other, "d" and a DNS name, or "i" and an address */
};

struct seen {
	struct map *by_key;
	TAILQ_HEAD(entries, entry) lru; /* asked for last: at the head */
	size_t names;
	size_t max_names;
	struct seen_csr got; /* what the last seen_get unpacked */
	size_t got_room;
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
	s->names -= n->count;
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
	free(s->got.names.items);
	free(s);
}

/* ---- names, packed ---- */

static size_t
packed_size(const struct identifiers *names)
{
	size_t n = 0;

	for (size_t i = 0; i < names->count; i++)
		n += 1 + strlen(names->items[i].value) + 1;
	return n;
}

static void
pack(char *to, const struct identifiers *names)
{
	for (size_t i = 0; i < names->count; i++) {
		*to++ = names->items[i].kind == IDENTIFIER_IP ? 'i' : 'd';
		to = stpcpy(to, names->items[i].value) + 1;
	}
}

static void
unpack_one(const char *from, struct identifier *ret)
{
	struct ip_addr ip;

	if (*from == 'i' && ip_addr_parse(from + 1, strlen(from + 1), &ip)) {
		identifier_ip(&ip, ret);
		return;
	}
	ret->kind = IDENTIFIER_DNS;
	strcpy(ret->value, from + 1);
}

static const struct seen_csr *
unpack(struct seen *s, const struct entry *n)
{
	struct identifiers *names = &s->got.names;
	const char *from = n->names;

	if (s->got_room < n->count) {
		names->items = xreallocarray(names->items, n->count, sizeof(*names->items));
		s->got_room = n->count;
	}
	names->count = n->count;
	for (size_t i = 0; i < n->count; i++) {
		unpack_one(from, &names->items[i]);
		from += strlen(from) + 1;
	}
	memcpy(s->got.spki_sha256, n->spki_sha256, sizeof(n->spki_sha256));
	return &s->got;
}

const struct seen_csr *
seen_get(struct seen *s, const char *key)
{
	struct entry *n = map_get(s->by_key, key, strlen(key));

	if (n == NULL)
		return NULL;
	TAILQ_REMOVE(&s->lru, n, entry);
	TAILQ_INSERT_HEAD(&s->lru, n, entry);
	return unpack(s, n);
}

void
seen_put(struct seen *s, const char *key, const struct seen_csr *csr)
{
	if (map_get(s->by_key, key, strlen(key)) != NULL || csr->names.count > s->max_names)
		return;
	while (s->names + csr->names.count > s->max_names)
		forget(s, TAILQ_LAST(&s->lru, entries));

	size_t key_size = strlen(key) + 1;
	struct entry *n = xmalloc(sizeof(*n) + key_size + packed_size(&csr->names));
	memcpy(n->key, key, key_size);
	n->names = n->key + key_size;
	n->count = csr->names.count;
	pack(n->names, &csr->names);
	memcpy(n->spki_sha256, csr->spki_sha256, sizeof(n->spki_sha256));
	map_put(s->by_key, key, strlen(key), n);
	TAILQ_INSERT_HEAD(&s->lru, n, entry);
	s->names += n->count;
}

size_t
seen_names(const struct seen *s)
{
	return s->names;
}
