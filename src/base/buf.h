/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A growing byte string with a maximum that is part of making it: every size a
 * peer decides is bounded first. data is always NUL-terminated (the NUL does
 * not count). An append past the maximum fails, changes nothing and stays
 * failed (buf_failed), so a chain of appends needs one check at its end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* owned; valid until the next append, never NULL after an append */
	size_t len;
	size_t size;
	size_t max;
	bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b); /* frees; the struct may be init'ed again */
bool buf_add(struct buf *b, const void *p, size_t n);
bool buf_adds(struct buf *b, const char *s);
bool buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_failed(const struct buf *b);
/* Hands the bytes to the caller (free() them); the buffer is empty afterwards. Never NULL. */
char *buf_take(struct buf *b, size_t *ret_len);
