/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the stores of a configuration hold, looked at from outside: beside a
 * daemon that runs or not. Makes no directory, clears nothing up.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "codec/identifier.h"

struct conf;
struct store;
struct store_entry;

/* One entry; valid during the call. */
struct held {
	const struct store *store;
	const struct store_entry *entry;
	struct identifiers names; /* none if they are not known */
	const char *path;         /* its directory */
	bool remove;              /* to be set: it shall go */
};

typedef void held_fn(void *arg, struct held *h);
/* Calls fn for each entry of each store. False, with the first error, if one cannot be read or
 * removed; the others are still looked at. */
bool held_each(const struct conf *conf, held_fn *fn, void *arg, struct err *e);
