/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes groups of files and directories durable, and keeps the loop running
 * meanwhile if the system lets it: through io_uring (store_ring.c), else with
 * blocking fsyncs after the turn. Which of the two shows at the start, and may
 * change from the first to the second later.
 *
 * The descriptors of a group are lent: they come back with the completion. Those
 * of a group that is cancelled are closed here, when the kernel is done with
 * them, since nobody else can tell when that is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct op;
struct store_sync;

struct store_sync_item {
	int fd;    /* less than 0: nothing to do */
	int error; /* with the completion: errno of a failure, or 0 */
};

/* blocking: without io_uring, also where there is one. */
struct store_sync *store_sync_new(struct loop *loop, bool blocking);
/* Waits for what was cancelled; nothing else may be under way. Not from a completion. NULL is fine.
 */
void store_sync_free(struct store_sync *s);
bool store_sync_blocks(const struct store_sync *s);

typedef void store_sync_fn(void *arg);
/* items stay the caller's, and valid until the completion, which finds each one's error in them. */
void store_sync_start(struct store_sync *s, struct store_sync_item *items, size_t count,
    store_sync_fn *done, void *arg, struct op **slot);
/* Waits for all that was started; completions run. Not from a completion. */
void store_sync_finish(struct store_sync *s);
