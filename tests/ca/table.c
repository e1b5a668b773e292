/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "table.h"

#include <stdlib.h>

#include "base/alloc.h"

void
table_init(struct table *t)
{
	*t = (struct table){.first = 1};
}

uint64_t
table_add(struct table *t, void *object)
{
	if (t->count == t->size) {
		t->size = t->size > 0 ? 2 * t->size : 64;
		t->slots = xreallocarray(t->slots, t->size, sizeof(*t->slots));
	}
	t->slots[t->count] = object;
	return t->first + t->count++;
}

void *
table_get(const struct table *t, uint64_t number)
{
	return number >= t->first && number - t->first < t->count ? t->slots[number - t->first]
								  : NULL;
}

void
table_clear(struct table *t, void (*free_fn)(void *object))
{
	for (size_t i = 0; i < t->count; i++)
		free_fn(t->slots[i]);
	t->first += t->count;
	t->count = 0;
}

void
table_done(struct table *t, void (*free_fn)(void *object))
{
	table_clear(t, free_fn);
	free(t->slots);
	t->slots = NULL;
	t->size = 0;
}
