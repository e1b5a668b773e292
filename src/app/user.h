/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Root becomes another user for good ([process] user): at the very start, so that
 * directories, keys and logs are made and tested as that user; only the right to
 * listen below 1024 stays until the listeners are open, and is gone before the
 * first byte is read from the network.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

bool user_is_root(void);
/* Uid, gid and groups of name; nothing where we are that user already. ERR_CONFIG for one that does
 * not exist, or that only root could become. */
bool user_become(const char *name, struct err *e);
/* After user_become: no capability is left, and none can be had again. */
bool user_settle(struct err *e);
