/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/histogram.h"

#include <assert.h>

/* From a CA next door to order-timeout. */
static const int64_t bounds[] = {
    100, 250, 500, 1000, 2500, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000};
static_assert(sizeof(bounds) / sizeof(bounds[0]) == HISTOGRAM_BUCKETS, "a bound for each bucket");

void
histogram_add(struct histogram *h, int64_t ms)
{
	size_t i = 0;

	if (ms < 0)
		ms = 0;
	while (i < HISTOGRAM_BUCKETS && ms > bounds[i])
		i++;
	h->buckets[i]++;
	h->sum_ms += (uint64_t)ms;
}

uint64_t
histogram_upto(const struct histogram *h, size_t i)
{
	uint64_t n = 0;

	for (size_t k = 0; k <= i; k++)
		n += h->buckets[k];
	return n;
}

int64_t
histogram_bound(size_t i)
{
	assert(i < HISTOGRAM_BUCKETS);
	return bounds[i];
}
