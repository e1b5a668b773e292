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
struct store_touch;

struct store_touch *store_touch_new(
    struct loop *loop, const char *dir, struct store_index *index, size_t max);
void store_touch_free(struct store_touch *t); /* writes nothing; NULL is fine */
/* written: when the file was told last, seconds since 1970. */
void store_touch_add(
    struct store_touch *t, const char *key, int64_t when, const char *peer, int64_t written);
void store_touch_forget(struct store_touch *t, const char *key);
void store_touch_flush(struct store_touch *t);
