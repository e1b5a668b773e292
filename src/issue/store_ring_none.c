/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In place of store_ring.c where there is no liburing. */
#include <assert.h>
#include <stddef.h>

#include "issue/store_ring.h"

struct store_ring *
store_ring_new(struct loop *loop, void (*ready)(void *arg), void *arg, struct err *e)
{
	err_set(e, ERR_INTERNAL, "built without liburing");
	return NULL;
}

void
store_ring_free(struct store_ring *r)
{
	assert(r == NULL);
}

bool
store_ring_push(struct store_ring *r, int fd, void *token)
{
	return false;
}

bool
store_ring_submit(struct store_ring *r)
{
	return false;
}

bool
store_ring_in_flight(const struct store_ring *r)
{
	return false;
}

bool
store_ring_reap(struct store_ring *r, bool block, void **ret_token, int *ret_error)
{
	return false;
}
