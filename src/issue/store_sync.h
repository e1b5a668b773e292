/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one place of the file store that waits for a disk: makes a group of files
 * and directories durable. A way that does not block can take its place.
 */
#pragma once

#include <stddef.h>

struct store_sync {
	int fd;    /* less than 0: nothing to do */
	int error; /* errno of a failure, or 0 */
};

void store_sync(struct store_sync *items, size_t count);
