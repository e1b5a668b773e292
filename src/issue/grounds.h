/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a request is dealt with: CA, challenges, stores and times of one
 * configuration. Counted: the desk holds the current one, every request and every
 * job the one it began with, so that a new configuration does not disturb it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ca;
struct challenge;
struct desk_conf;
struct loop;
struct store;

struct grounds {
	struct loop *loop;
	size_t holders;
	struct ca *ca;
	struct challenge **challenges;
	size_t challenge_count;
	struct store **stores;
	size_t store_count;
	int64_t timeout_ms;
	int64_t order_timeout_ms;
};

/* Holds what conf names. The caller is the first holder. */
struct grounds *grounds_new(struct loop *loop, const struct desk_conf *conf);
struct grounds *grounds_hold(struct grounds *g);
/* After the last one what it holds is let go, at the end of the turn. */
void grounds_release(struct grounds *g);
