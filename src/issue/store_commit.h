/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Durable writes of a file store, in groups: what is put within a few
 * milliseconds is written, synced, renamed and synced together, and then told.
 * One group is under way at a time; what is put meanwhile makes the next. While
 * the disk works the loop goes on, if store_sync.h can see to that.
 */
#pragma once

#include <stdbool.h>

#include "base/queue.h"
#include "issue/store.h"
#include "issue/store_index.h"

struct store_census;

struct store_commit;
struct store_sync;

/* index, census and sync are borrowed. */
struct store_commit *store_commit_new(struct loop *loop, const char *dir, struct store_index *index,
    struct store_census *census, struct store_sync *sync);
void store_commit_free(struct store_commit *c); /* writes what waits; NULL is fine */
/* As store_kind.put. */
void store_commit_put(struct store_commit *c, const struct store_put *put, store_put_fn *done,
    void *arg, struct op **slot);
/* Writes what waits and what is under way, waiting for the disk; completions run. Not from a
 * completion. */
void store_commit_flush(struct store_commit *c);
/* A put of key waits or is under way. */
bool store_commit_waits(const struct store_commit *c, const char *key);

/* Someone who wants to read what is in place but not yet durable. Embed it, zero it. */
struct store_reader {
	TAILQ_ENTRY(store_reader) entry;
	struct store_commit *commit; /* not NULL: waits */
	void (*fn)(void *arg);
	void *arg;
};
/* False: key can be read now. Else fn is called when it can be. */
bool store_commit_read_later(struct store_commit *c, const char *key, struct store_reader *reader,
    void (*fn)(void *arg), void *arg);
void store_reader_cancel(struct store_reader *reader);
