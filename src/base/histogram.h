/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long things took: counts below fixed bounds, as monitoring wants them.
 * Whoever counts embeds one, zeroed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 13 };

struct histogram {
	uint64_t buckets[HISTOGRAM_BUCKETS + 1]; /* the last: above every bound */
	uint64_t sum_ms;
};

void histogram_add(struct histogram *h, int64_t ms); /* a negative one is none */
/* How many took at most bound i; i = HISTOGRAM_BUCKETS: all of them. */
uint64_t histogram_upto(const struct histogram *h, size_t i);
int64_t histogram_bound(size_t i); /* milliseconds */
