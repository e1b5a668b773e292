/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { FIRST_SIZE = 64 };

void
buf_init(struct buf *b, size_t max)
{
	/* One byte is kept for the NUL, so a maximum of SIZE_MAX means one less. */
	*b = (struct buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void
buf_done(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

/* Makes room for n more bytes and the NUL. False if the maximum forbids it. */
static bool
reserve(struct buf *b, size_t n)
{
	size_t need, size;

	if (b->failed || n > b->max - b->len) {
		b->failed = true;
		return false;
	}
	need = b->len + n + 1;
	if (need <= b->size)
		return true;
	size = b->size > 0 ? b->size : FIRST_SIZE;
	while (size < need)
		size = size <= SIZE_MAX / 2 ? size * 2 : need;
	if (size > b->max + 1)
		size = b->max + 1;
	b->data = xreallocarray(b->data, size, 1);
	b->size = size;
	return true;
}

bool
buf_add(struct buf *b, const void *p, size_t n)
{
	if (!reserve(b, n))
		return false;
	if (n > 0)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
	return true;
}

bool
buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

bool
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	if (n < 0 || !reserve(b, (size_t)n))
		return false;
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return true;
}

bool
buf_failed(const struct buf *b)
{
	return b->failed;
}

char *
buf_take(struct buf *b, size_t *ret_len)
{
	char *data = b->data != NULL ? b->data : xstrdup("");

	if (ret_len != NULL)
		*ret_len = b->len;
	buf_init(b, b->max);
	return data;
}
