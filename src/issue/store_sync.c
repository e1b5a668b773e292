/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void
store_sync(struct store_sync *items, size_t count)
{
	/* All of them on their way first: then the first fsync waits for one commit of the file
	 * system's journal, and the others find theirs done. Directories refuse this; they come
	 * with the journal anyway. */
	for (size_t i = 0; i < count; i++)
		if (items[i].fd >= 0)
			sync_file_range(items[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	for (size_t i = 0; i < count; i++)
		items[i].error = items[i].fd < 0 || fsync(items[i].fd) == 0 ? 0 : errno;
}
