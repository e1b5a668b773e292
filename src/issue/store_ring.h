/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fsync through io_uring: what is pushed and submitted is synced by the kernel
 * while the loop goes on, and an eventfd tells the loop that some of it is done.
 * The descriptor is watched only while something is in flight. Knows no groups
 * (store_sync.c). Without liburing there is store_ring_none.c.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct loop;
struct store_ring;

/* ready is called on the loop when there is something to reap. NULL with the reason if the system
 * has no io_uring or does not permit it. */
struct store_ring *store_ring_new(
    struct loop *loop, void (*ready)(void *arg), void *arg, struct err *e);
/* Nothing may be in flight; what was pushed and not taken by the kernel is dropped. NULL is fine;
 * may be called from ready. */
void store_ring_free(struct store_ring *r);

/* False: no room, reap first. */
bool store_ring_push(struct store_ring *r, int fd, void *token);
/* Hands over what was pushed. False: the kernel takes nothing though nothing is in flight, so
 * waiting would not help. */
bool store_ring_submit(struct store_ring *r);
bool store_ring_in_flight(const struct store_ring *r);
/* One that is done: its token, and errno or 0. False: none; with block only if none is in flight.
 */
bool store_ring_reap(struct store_ring *r, bool block, void **ret_token, int *ret_error);
