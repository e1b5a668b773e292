/* SPDX-License-Identifier: GPL-3.0-or-later */
/* acmems --forget NAME: the next request for it issues anew. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "codec/identifier.h"

struct conf;

/* A DNS name, in any case, or an address. ERR_CONFIG. */
bool held_name(const char *text, struct identifier *ret, struct err *e);
/* Removes the entries that hold name, says so on out, and how many there were. */
bool held_forget(const struct conf *conf, const struct identifier *name, FILE *out,
    size_t *ret_count, struct err *e);
