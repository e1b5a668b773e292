/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The request bucket of one CA: so many requests a second, with a burst. Who
 * wants to send waits here in order; polls wait behind everything else, because
 * they can: an order in flight loses nothing by looking a little later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bucket;
struct loop;
struct op;

/* The arithmetic, apart from clock and waiters. */
struct tokens {
	double rate; /* a second; 0: no limit */
	double burst;
	double level;
	int64_t at; /* when level was right */
};
void tokens_init(struct tokens *t, double rate, unsigned burst, int64_t now);
bool tokens_take(struct tokens *t, int64_t now);
/* Milliseconds until tokens_take will succeed; 0: it does now. */
int64_t tokens_wait(const struct tokens *t, int64_t now);

enum bucket_class { BUCKET_REQUEST, BUCKET_POLL, BUCKET_CLASS_COUNT };

/* rate 0: no limit. */
struct bucket *bucket_new(struct loop *loop, double rate, unsigned burst);
/* Forgets those who wait. NULL is fine. */
void bucket_free(struct bucket *b);

typedef void bucket_done_fn(void *arg);
/* done runs when one request may be sent. Has no deadline: the request has one. */
void bucket_take(
    struct bucket *b, enum bucket_class class, bucket_done_fn *done, void *arg, struct op **slot);
