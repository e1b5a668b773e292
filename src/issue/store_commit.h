/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Durable writes of a file store, in groups: what is put within a few
 * milliseconds is written, synced, renamed and synced together, and then told.
 * So the loop waits for the disk once for a group and not for every certificate.
 */
#pragma once

#include <stdbool.h>

#include "issue/store.h"
#include "issue/store_index.h"

struct store_commit;

struct store_commit *store_commit_new(
    struct loop *loop, const char *dir, struct store_index *index);
void store_commit_free(struct store_commit *c); /* writes what waits; NULL is fine */
/* As store_kind.put. */
void store_commit_put(struct store_commit *c, const struct store_put *put, store_put_fn *done,
    void *arg, struct op **slot);
/* Writes what waits now; completions run. */
void store_commit_flush(struct store_commit *c);
/* A put of key waits. */
bool store_commit_waits(const struct store_commit *c, const char *key);
