/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/conf_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/conf_section.h"
#include "base/alloc.h"

struct chunk {
	struct chunk *next;
	size_t size;
	_Alignas(max_align_t) unsigned char bytes[];
};

void *
conf_keep(struct conf *c, size_t n, size_t size)
{
	if (n > (SIZE_MAX - sizeof(struct chunk) - 1) / size)
		abort();
	/* One byte more: a pointer to nothing is still a pointer, and bytes get their NUL. */
	struct chunk *chunk = xcalloc(1, sizeof(*chunk) + n * size + 1);

	chunk->size = sizeof(*chunk) + n * size + 1;
	chunk->next = c->memory;
	c->memory = chunk;
	return chunk->bytes;
}

void *
conf_keep_bytes(struct conf *c, const void *bytes, size_t n)
{
	void *copy = conf_keep(c, n, 1);

	if (n > 0)
		memcpy(copy, bytes, n);
	return copy;
}

char *
conf_keep_text(struct conf *c, const char *text)
{
	return conf_keep_bytes(c, text, strlen(text));
}

char *
conf_keep_section(struct conf *c, const struct conf_section *s)
{
	char *text = conf_section_text(s);
	char *kept = conf_keep_text(c, text);

	free_secret(text, strlen(text));
	return kept;
}

void
conf_memory_free(struct conf *c)
{
	struct chunk *chunk = c->memory;

	while (chunk != NULL) {
		struct chunk *next = chunk->next;

		free_secret(chunk, chunk->size);
		chunk = next;
	}
	c->memory = NULL;
}
