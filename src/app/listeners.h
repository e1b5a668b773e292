/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several listeners, from what an operator writes to open sockets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct listener;
struct loop;

struct listeners {
	struct listener **items; /* owned, as are they */
	size_t count;
};

/* Adds a listener for each address of each spec (ev/listener.h). are_default: nothing was
 * configured, so a family the machine lacks is left out, with a warning. On failure, ERR_CONFIG or
 * ERR_INTERNAL, those opened before stay in the list. */
bool listeners_open(struct listeners *list, struct loop *loop, char *const *specs, size_t count,
    bool are_default, struct err *e);
void listeners_close(struct listeners *list); /* a zeroed one is fine */
