/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/counter.h"

#include <assert.h>
#include <stddef.h>

static const char *const names[] = {
    [COUNTER_REQUESTS] = "requests",
    [COUNTER_CACHE_HITS] = "cache_hits",
    [COUNTER_CACHE_MISSES] = "cache_misses",
    [COUNTER_ORDERS_STARTED] = "orders_started",
    [COUNTER_ORDERS_DONE] = "orders_done",
    [COUNTER_ORDERS_FAILED] = "orders_failed",
    [COUNTER_CA_REQUESTS] = "ca_requests",
    [COUNTER_NONCE_RETRIES] = "nonce_retries",
    [COUNTER_CHALLENGES_ANSWERED] = "challenges_answered",
    [COUNTER_RENEWALS_FAILED] = "renewals_failed",
};
static_assert(sizeof(names) / sizeof(names[0]) == COUNTER_COUNT, "a name for every counter");

static uint64_t values[COUNTER_COUNT];

void
counter_add(enum counter which, uint64_t n)
{
	assert(which < COUNTER_COUNT);
	values[which] += n;
}

uint64_t
counter_get(enum counter which)
{
	assert(which < COUNTER_COUNT);
	return values[which];
}

const char *
counter_name(enum counter which)
{
	assert(which < COUNTER_COUNT);
	return names[which];
}
