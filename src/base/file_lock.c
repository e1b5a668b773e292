/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

enum { FILE_MODE = 0600 };

bool
file_lock(const char *path, int *ret_fd, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
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
