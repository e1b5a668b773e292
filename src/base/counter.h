/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Event counters of the process, for logs, tests and the metrics endpoint. */
#pragma once

#include <stdint.h>

enum counter {
	COUNTER_REQUESTS,
	COUNTER_CACHE_HITS,
	COUNTER_CACHE_MISSES,
	COUNTER_ORDERS_STARTED,
	COUNTER_ORDERS_DONE,
	COUNTER_ORDERS_FAILED,
	COUNTER_CA_REQUESTS,
	COUNTER_NONCE_RETRIES,
	COUNTER_CHALLENGES_ANSWERED,
	COUNTER_RENEWALS_FAILED,
	COUNTER_COUNT
};

void counter_add(enum counter which, uint64_t n);
uint64_t counter_get(enum counter which);
/* The name, e.g. "cache_hits". */
const char *counter_name(enum counter which);
