/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbered objects: what stands behind the number at the end of a URL. A number is never given
 * twice, also not after everything was forgotten. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct table {
	void **slots;
	size_t count;
	size_t size;
	uint64_t first; /* number of slots[0] */
};

void table_init(struct table *t);
/* Gives it the next number. */
uint64_t table_add(struct table *t, void *object);
/* Or NULL. */
void *table_get(const struct table *t, uint64_t number);
/* Forgets all of them; each is handed to free_fn. */
void table_clear(struct table *t, void (*free_fn)(void *object));
void table_done(struct table *t, void (*free_fn)(void *object));
