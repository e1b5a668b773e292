/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The walk through a store: a few entries a tick, so that no answer waits for it, from the start
 * to the end, and anew three hours later. Tells of each entry, for the census, and removes those
 * that have been expired for longer than `keep` (acmems.conf(5)), and what was left half-written
 * for as long.
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
	void (*met)(void *arg, const struct store_entry *entry); /* it is there, and stays */
	void (*passed)(void *arg);                               /* it came to the end */
	void (*warn)(void *arg, const char *text);
	void *arg;
};

struct store_sweep *store_sweep_new(const struct store_sweep_conf *conf);
void store_sweep_keep(struct store_sweep *s, int64_t keep);
void store_sweep_free(struct store_sweep *s); /* NULL is fine */
