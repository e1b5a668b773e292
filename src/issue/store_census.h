/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many certificates a store holds, and when they end, for the metrics: kept
 * in memory, so that to be asked costs no reading. Of entries with the same names
 * only the newest counts: a client that made a new key left the old one behind.
 *
 * Fed with what is stored and removed, and by a walk through the store over and
 * over again: what a whole pass has not met is gone.
 */
#pragma once

#include <stdint.h>

#include "codec/digest.h"
#include "issue/store.h"

enum { CENSUS_NAMES = 33 };

struct store_census;

struct store_census *store_census_new(void);
void store_census_free(struct store_census *c); /* NULL is fine */

/* One short key for equal sets of names. NULL, they are not known: of that entry alone. */
void store_census_names(const struct identifiers *names, const char *key, char out[CENSUS_NAMES]);
/* The entry key is there, for those names. */
void store_census_add(struct store_census *c, const char *key, const char *names,
    int64_t not_before, int64_t not_after);
void store_census_remove(struct store_census *c, const char *key);
/* A pass of the walk has ended; the next begins. */
void store_census_passed(struct store_census *c);
/* ret->known is false until the first pass has ended. */
void store_census_figures(
    const struct store_census *c, int64_t renew_within, int64_t now, struct store_figures *ret);
