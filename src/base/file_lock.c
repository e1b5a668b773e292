/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

enum { FILE_MODE = 0600 };

/* Only what was made here is given away: what lies there may be a link to anything. */
static int
open_or_make(const char *path)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags | O_CREAT | O_EXCL, FILE_MODE);

	if (fd < 0 && errno == EEXIST)
		return open(path, flags | O_CREAT, FILE_MODE);
	if (fd >= 0)
		file_give(fd, path);
	return fd;
}

bool
file_lock(const char *path, int *ret_fd, struct err *e)
{
	int fd = open_or_make(path);
	int saved;

	if (fd < 0) {
		saved = errno;
		return err_errno(e, ERR_CONFIG, saved, "%s: cannot be opened", path);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_fd = fd;
		return true;
	}
	saved = errno;
	close(fd);
	return err_errno(
	    e, saved == EWOULDBLOCK ? ERR_BUSY : ERR_CONFIG, saved, "%s: cannot be locked", path);
}

void
file_unlock(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
