/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tsearch(3) gives the balanced tree, but no way from an entry to its
 * neighbour. So the entries also form a sorted list. A new entry's place in it
 * costs nothing: the search for it compares it with its later neighbours, last
 * of all with the nearest on either side.
 */
#include "base/map.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct map_entry {
	const void *key;
	size_t key_len;
	void *value;
	/* In the map: the neighbours. While searching: the nearest compared with so far. */
	struct map_entry *prev;
	struct map_entry *next;
	unsigned char bytes[];
};

struct map {
	void *root;
	struct map_entry *first;
	size_t count;
};

struct map *
map_new(void)
{
	return xcalloc(1, sizeof(struct map));
}

void
map_free(struct map *m)
{
	if (m == NULL)
		return;
	tdestroy(m->root, free);
	free(m);
}

size_t
map_count(const struct map *m)
{
	return m->count;
}

/* What is searched for is always the first argument; it learns its neighbours. */
static int
compare(const void *a, const void *b)
{
	struct map_entry *probe = (struct map_entry *)a;
	struct map_entry *node = (struct map_entry *)b;
	size_t n = probe->key_len < node->key_len ? probe->key_len : node->key_len;
	int r = n > 0 ? memcmp(probe->key, node->key, n) : 0;

	if (r == 0)
		r = (probe->key_len > node->key_len) - (probe->key_len < node->key_len);
	if (r < 0)
		probe->next = node;
	else if (r > 0)
		probe->prev = node;
	return r;
}

/* The entry with the probe's key, or NULL and the probe's neighbours set. */
static struct map_entry *
find(const struct map *m, struct map_entry *probe)
{
	struct map_entry **node = tfind(probe, &m->root, compare);

	return node != NULL ? *node : NULL;
}

void *
map_get(const struct map *m, const void *key, size_t key_len)
{
	struct map_entry probe = {.key = key, .key_len = key_len};
	struct map_entry *entry = find(m, &probe);

	return entry != NULL ? entry->value : NULL;
}

void *
map_put(struct map *m, const void *key, size_t key_len, void *value)
{
	struct map_entry probe = {.key = key, .key_len = key_len};
	struct map_entry *entry = find(m, &probe);
	void *old;

	assert(value != NULL);
	if (entry != NULL) {
		old = entry->value;
		entry->value = value;
		return old;
	}
	entry = xcalloc(1, sizeof(*entry) + key_len);
	if (key_len > 0)
		memcpy(entry->bytes, key, key_len);
	entry->key = entry->bytes;
	entry->key_len = key_len;
	entry->value = value;
	if (tsearch(entry, &m->root, compare) == NULL)
		abort();
	*(entry->prev != NULL ? &entry->prev->next : &m->first) = entry;
	if (entry->next != NULL)
		entry->next->prev = entry;
	m->count++;
	return NULL;
}

void *
map_remove(struct map *m, const void *key, size_t key_len)
{
	struct map_entry probe = {.key = key, .key_len = key_len};
	struct map_entry *entry = find(m, &probe);
	void *value;

	if (entry == NULL)
		return NULL;
	tdelete(&probe, &m->root, compare);
	*(entry->prev != NULL ? &entry->prev->next : &m->first) = entry->next;
	if (entry->next != NULL)
		entry->next->prev = entry->prev;
	m->count--;
	value = entry->value;
	free(entry);
	return value;
}

void
map_each(const struct map *m, void (*fn)(const void *key, size_t key_len, void *value, void *arg),
    void *arg)
{
	for (const struct map_entry *entry = m->first; entry != NULL; entry = entry->next)
		fn(entry->key, entry->key_len, entry->value, arg);
}

void *
map_next(
    const struct map *m, const void *key, size_t key_len, const void **ret_key, size_t *ret_key_len)
{
	struct map_entry probe = {.key = key, .key_len = key_len};
	struct map_entry *entry, *next = m->first;

	if (key != NULL) {
		entry = find(m, &probe);
		next = entry != NULL ? entry->next : probe.next;
	}
	if (next == NULL)
		return NULL;
	if (ret_key != NULL)
		*ret_key = next->key;
	if (ret_key_len != NULL)
		*ret_key_len = next->key_len;
	return next->value;
}
