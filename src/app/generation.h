/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One configuration, alive: the CA, challenges, stores, policy and listeners it
 * describes. The next one carries over what is the same in both, with all that it
 * remembers, and opens the rest before anything is changed. What it no longer has
 * lives on for as long as a request or a job uses it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/listeners.h"
#include "base/err.h"

struct ca;
struct ca_stats;
struct challenge;
struct challenges;
struct conf;
struct http_client;
struct loop;
struct policy;
struct store;

/* What all generations have in common; borrowed. */
struct generation_common {
	struct loop *loop;
	struct http_client *http;
	struct challenges *challenges;
	struct ca_stats *ca_stats; /* what each CA counts into */
};

struct generation {
	struct conf *conf;             /* owned */
	struct ca *ca;                 /* held, as what follows */
	struct challenge **challenges; /* by verification block */
	struct store **stores;         /* by storage block */
	struct policy *policy;
	struct listeners mgmt;
	struct listeners status;
};

/* Takes conf over, also on failure. old: the one it is to follow, or NULL. Nothing is served yet,
 * and nothing of old is changed. ERR_CONFIG, or another kind where the configuration is not to
 * blame. */
struct generation *generation_new(const struct generation_common *common, struct conf *conf,
    const struct generation *old, struct err *e);
/* What was carried over gets the names and numbers of this one, and its challenge listeners serve:
 * from now on it is the current one. */
void generation_begin(struct generation *g);
void generation_free(struct generation *g); /* NULL is fine */
