/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Removes entries that have been expired for longer than `keep` (acmems.conf(5)), and
 * what was left half-written for as long. Walks through the store a few entries
 * a tick, so that no answer waits for it, and begins anew once a day.
 */
#pragma once

#include <stdint.h>

#include "issue/store.h"

struct store_sweep;

struct store_sweep_conf {
	struct loop *loop;
	const char *dir;                             /* copied */
	int64_t keep;                                /* seconds */
	bool (*busy)(void *arg, const char *key);    /* is being written: leave it alone */
	void (*removed)(void *arg, const char *key); /* forget what is remembered of it */
	void (*warn)(void *arg, const char *text);
	void *arg;
};

struct store_sweep *store_sweep_new(const struct store_sweep_conf *conf);
void store_sweep_keep(struct store_sweep *s, int64_t keep);
void store_sweep_free(struct store_sweep *s); /* NULL is fine */
