/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lock that programs of one machine agree on, flock(2) on a file that stays.
 * It ends with the process, however that ends; a second lock of the same process
 * is refused like another's.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Never waits. The file is made with mode 0600. *ret_fd is for file_unlock. ERR_BUSY: another holds
 * it; ERR_CONFIG: the file cannot be opened. */
bool file_lock(const char *path, int *ret_fd, struct err *e);
void file_unlock(int *fd); /* *fd becomes -1; -1 is fine */
