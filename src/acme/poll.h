/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long to wait before looking again (RFC 8555 7.4, 7.5.1): what the CA says
 * in Retry-After is a floor; without one 250 ms (20 ms if the CA is on loopback),
 * doubling to 5 s with jitter. A value: no clock, no timer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct poll {
	bool loopback;
	int64_t delay;     /* ms; the next one without a word of the CA */
	int64_t floor;     /* ms; from the last answer's Retry-After, 0: none */
	unsigned failures; /* polls in a row without a usable answer */
	unsigned hurried;
};

void poll_init(struct poll *p, bool loopback);
/* An answer came. retry_after: seconds, below 0: the CA gave none. */
void poll_heard(struct poll *p, int64_t retry_after);
/* The poll failed with e, its answer had this status (0: none). True: look again: a busy CA (429,
 * 503) only delays a poll, and one that stumbles is forgiven a few times in a row. */
bool poll_forgives(struct poll *p, int status, const struct err *e);
/* Milliseconds to wait before the next poll, when left milliseconds remain. Never more than left.
 */
int64_t poll_next(struct poll *p, int64_t left);
/* The CA has just fetched our answer: milliseconds until a look is worthwhile, or -1 if the planned
 * poll stays (the CA named a time, or this happened often already). */
int64_t poll_hurry(struct poll *p);
