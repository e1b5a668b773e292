/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store in memory that answers when and as the scenario says. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "issue/store.h"

struct map;

struct fake_store {
	struct store base;
	struct loop *loop;
	struct map *entries;
	/* What the scenario chooses. */
	int64_t get_ms; /* until get answers; less than 0: never */
	int64_t put_ms;
	struct err get_fails; /* other than ERR_NONE: get and put fail with this */
	struct err put_fails;
	struct err remove_fails;
	struct err bar_fails;
	int64_t bar_ms; /* until bar answers; less than 0: never */
	/* What happened. */
	unsigned gets;
	unsigned puts;
	unsigned touches;
	unsigned removes;
	unsigned bars;
	char last_peer[64];
};

void fake_store_init(
    struct fake_store *s, struct loop *loop, const char *name, int64_t renew_within);
void fake_store_done(struct fake_store *s);
/* A stored certificate from another time: changes what is there for key. */
void fake_store_set_directory(struct fake_store *s, const char *key, const char *directory_url);
void fake_store_lose(struct fake_store *s, const char *key);
