/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When an entry was last fetched and by whom: remembered, and written into its
 * meta.json at most once an hour and on the way down, a few at a time, never on
 * the way of an answer. Bounded; what there is no room for is not written.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "issue/store_index.h"

struct loop;
struct store_commit;
struct store_sync;
struct store_touch;

struct store_touch_conf {
	struct loop *loop;
	const char *dir; /* copied */
	struct store_index *index;
	struct store_sync *sync;
	const struct store_commit *commit; /* entries it writes are left alone */
	size_t max;                        /* remembered at a time */
};

struct store_touch *store_touch_new(const struct store_touch_conf *conf);
/* Writes nothing that is not under way. Not from a completion of the store's. NULL is fine. */
void store_touch_free(struct store_touch *t);
/* written: when the file was told last, seconds since 1970. */
void store_touch_add(
    struct store_touch *t, const char *key, int64_t when, const char *peer, int64_t written);
void store_touch_forget(struct store_touch *t, const char *key);
/* Writes all, waiting for the disk, but for no more than a few seconds: what is left then is not
 * noted. Not from a completion of the store's. */
void store_touch_flush(struct store_touch *t);
