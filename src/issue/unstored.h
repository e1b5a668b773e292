/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates a store did not take: tried again every minute for an hour, one
 * after the other, so that a disk that was full has them once it is mended.
 * Bounded in number and bytes. Ends that an operator should
 * know of are logged here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct leaf_info;
struct log_context;
struct loop;
struct store;
struct store_put;
struct unstored;

struct unstored *unstored_new(struct loop *loop, size_t max_count, size_t max_bytes);
void unstored_free(struct unstored *u); /* NULL is fine */

/* put is copied, and takes the place of an older one of its key; the store is held. names: for
 * the log. */
void unstored_add(
    struct unstored *u, struct store *store, const struct store_put *put, const char *names);
/* The store has something newer under this key. */
void unstored_forget(struct unstored *u, const struct store *store, const char *key);
/* Gives up those that match wants. The store may be about to have one of them all the same, so
 * match is told store and key. */
void unstored_drop(struct unstored *u,
    bool (*match)(void *arg, struct store *store, const char *key, const struct leaf_info *leaf),
    void *arg);
size_t unstored_count(const struct unstored *u);
