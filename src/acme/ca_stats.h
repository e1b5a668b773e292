/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is counted of one CA. Whoever makes the CA may give it a struct of his
 * own (ca_conf.stats), so that figures outlive a CA that is made anew.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "acme/problem_err.h"

enum { CA_STATUSES = 16, ACME_ORDER_STATES = 10 };

struct ca_stats {
	/* By what it was for, and what came of it: by ca_status_at; the last: no answer. */
	uint64_t requests[PLACE_COUNT][CA_STATUSES + 1];
	uint64_t nonce_retries;
	uint64_t orders[ACME_ORDER_STATES]; /* now, by state: acme_order_state_name */
};

/* One answer; status 0: there was none. */
void ca_stats_answered(struct ca_stats *s, enum acme_place place, int status);
/* The statuses that are counted one by one; 0 for the one before the last: any other. */
int ca_status_at(size_t i);
