/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may change the account's directory: one program at a time, held only while it
 * changes something. Reading needs no lock, since files are replaced as a whole.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Never waits. ERR_BUSY: another program holds it, in words for anybody; ERR_CONFIG: the lock file
 * in dir cannot be opened. *ret_lock is for file_unlock. */
bool account_lock(const char *dir, int *ret_lock, struct err *e);
/* Tries for some seconds, and blocks meanwhile: only for what has no loop yet. */
bool account_lock_wait(const char *dir, int *ret_lock, struct err *e);
