/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/poll.h"

#include "base/random.h"

enum {
	FIRST_MS = 250,
	FIRST_LOOPBACK_MS = 20,
	LONGEST_MS = 5000,
	LAST_LOOK_MS = 2000, /* a long Retry-After still leaves time for one look before the end */
	FORGIVEN = 3,
	HURRY_MS = 50,
	HURRY_LOOPBACK_MS = 5,
	HURRIED_MAX = 10, /* who knows the token could make us poll: not without end */
};

void
poll_init(struct poll *p, bool loopback)
{
	*p = (struct poll){
	    .loopback = loopback,
	    .delay = loopback ? FIRST_LOOPBACK_MS : FIRST_MS,
	};
}

void
poll_heard(struct poll *p, int64_t retry_after)
{
	p->failures = 0;
	p->floor = retry_after > 0 ? retry_after * 1000 : 0;
}

bool
poll_forgives(struct poll *p, int status, const struct err *e)
{
	if (status == 429 || status == 503) {
		p->floor = e->retry_after * 1000;
		return true;
	}
	p->floor = 0;
	if (e->kind != ERR_UNREACHABLE && e->kind != ERR_UPSTREAM)
		return false;
	return ++p->failures <= FORGIVEN;
}

int64_t
poll_next(struct poll *p, int64_t left)
{
	int64_t jitter = (int64_t)random_below((uint32_t)(p->delay / 5) + 1);
	int64_t own = p->delay + jitter;
	int64_t wait = own;

	if (p->floor > own) {
		wait = p->floor;
		if (wait > left - LAST_LOOK_MS)
			wait = left - LAST_LOOK_MS > own ? left - LAST_LOOK_MS : own;
	}
	p->delay = p->delay * 2 < LONGEST_MS ? p->delay * 2 : LONGEST_MS;
	if (wait > left)
		wait = left;
	return wait > 0 ? wait : 0;
}

int64_t
poll_hurry(struct poll *p)
{
	if (p->floor > 0 || p->hurried >= HURRIED_MAX)
		return -1;
	p->hurried++;
	return p->loopback ? HURRY_LOOPBACK_MS : HURRY_MS;
}
