/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that hold a secret and nothing else. Private to app/conf*.c. */
#pragma once

#include <stdbool.h>

#include "app/conf_build.h"
#include "base/buf.h"

enum { CONF_SECRET_MAX = 16 * 1024 };

/* Whether anyone may read the file. */
bool conf_others_read(const char *path);
/* Appends the file the option names to out; one that others can read is reported, as is one that
 * cannot be read. */
bool conf_secret_read(struct conf_build *b, const struct conf_entry *in, struct buf *out);
