/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

bool
file_read(const char *path, struct buf *out, struct err *e)
{
	CLEANUP_FD int fd = -1;
	char chunk[4096];
	ssize_t n;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		goto fail;
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto fail;
		if (!buf_add(out, chunk, (size_t)n)) {
			errno = EFBIG;
			return err_set(e, ERR_CONFIG, "%s: larger than %zu bytes", path, out->max);
		}
	}
	explicit_bzero(chunk, sizeof(chunk));
	/* An empty file is an empty string, not NULL. */
	return buf_add(out, "", 0);

fail:
	n = errno;
	err_errno(e, ERR_CONFIG, (int)n, "%s", path);
	errno = (int)n;
	return false;
}

static bool
write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* The directory part of path, "." if it has none. The caller frees it. */
static char *
parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static bool
sync_dir(const char *dir)
{
	CLEANUP_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0;
}

static bool
sync_parent(const char *path, struct err *e)
{
	CLEANUP_FREE char *dir = parent(path);
	int saved;

	if (sync_dir(dir))
		return true;
	saved = errno;
	return err_errno(e, ERR_CONFIG, saved, "%s: cannot be made durable", dir);
}

/* Where root may not do even that, the file stays root's. */
void
file_give(int fd, const char *path)
{
	CLEANUP_FREE char *dir = parent(path);
	struct stat st;

	if (geteuid() == 0 && stat(dir, &st) == 0 && st.st_uid != 0 &&
	    fchown(fd, st.st_uid, st.st_gid) != 0)
		return;
}

static bool
write_atomic(const char *path, const void *data, size_t len, mode_t mode, bool give, struct err *e)
{
	CLEANUP_FREE char *temporary = xasprintf("%s.tmp-XXXXXX", path);
	CLEANUP_FD int fd = mkostemp(temporary, O_CLOEXEC);
	int saved;

	if (fd < 0) {
		saved = errno;
		return err_errno(e, ERR_CONFIG, saved, "%s: cannot be written", path);
	}
	if (give)
		file_give(fd, path);
	if (fchmod(fd, mode) == 0 && write_all(fd, data, len) && fsync(fd) == 0 &&
	    rename(temporary, path) == 0)
		return sync_parent(path, e);
	saved = errno;
	unlink(temporary);
	return err_errno(e, ERR_CONFIG, saved, "%s: cannot be written", path);
}

bool
file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	return write_atomic(path, data, len, mode, false, e);
}

bool
file_write_given(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	return write_atomic(path, data, len, mode, true, e);
}

bool
file_rename(const char *from, const char *to, struct err *e)
{
	int saved;

	if (rename(from, to) == 0)
		return sync_parent(to, e);
	saved = errno;
	return err_errno(e, ERR_CONFIG, saved, "%s: cannot be renamed to %s", from, to);
}

bool
file_unlink(const char *path, struct err *e)
{
	int saved;

	if (unlink(path) == 0)
		return sync_parent(path, e);
	saved = errno;
	return err_errno(e, ERR_CONFIG, saved, "%s: cannot be removed", path);
}

static bool
make_dir(const char *path, mode_t mode, struct err *e)
{
	struct stat st;
	int saved;

	if (mkdir(path, mode) == 0) {
		/* mkdir's mode passes through the umask. */
		if (chmod(path, mode) == 0)
			return true;
		saved = errno;
	} else {
		saved = errno;
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return true;
		if (saved == EEXIST)
			saved = ENOTDIR;
	}
	return err_errno(e, ERR_CONFIG, saved, "%s: cannot be made", path);
}

bool
file_mkdirs(const char *path, mode_t mode, struct err *e)
{
	CLEANUP_FREE char *part = xstrdup(path);

	for (char *slash = strchr(part + (*part == '/'), '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!make_dir(part, mode, e))
			return false;
		*slash = '/';
	}
	return make_dir(part, mode, e);
}

/* The user's name, or the number where there is none. */
static const char *
user_name(uid_t uid, char out[64])
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		snprintf(out, 64, "%s", pw->pw_name);
	else
		snprintf(out, 64, "%u", uid);
	return out;
}

/* Never a chown of what is not ours to give away: wanted may be deep below /etc or /var. */
static bool
explain_unmakeable(const char *dir, const char *wanted, const char *owner, const char *us,
    const struct stat *st, struct err *e)
{
	return err_set(e, ERR_CONFIG,
	    "%s is not there, and %s is owned by %s (uid %u) and cannot be written by uid %u: "
	    "mkdir -p %s && chown %s %s",
	    wanted, dir, owner, st->st_uid, geteuid(), wanted, us, wanted);
}

static bool
explain_unwritable(const char *dir, const char *wanted, int reason, struct err *e)
{
	char owner[64], us[64];
	uid_t uid = geteuid();
	struct stat st;

	if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode) || (reason != EACCES && reason != EPERM))
		return err_errno(
		    e, ERR_CONFIG, reason, "%s: cannot be written by uid %u", dir, uid);
	user_name(st.st_uid, owner);
	user_name(uid, us);
	if (st.st_uid == uid)
		return err_set(e, ERR_CONFIG,
		    "%s is owned by %s (uid %u), but its mode %04o forbids writing: chmod u+rwx %s",
		    dir, owner, uid, (unsigned)st.st_mode & 07777, dir);
	if (strcmp(dir, wanted) != 0)
		return explain_unmakeable(dir, wanted, owner, us, &st, e);
	return err_set(e, ERR_CONFIG,
	    "%s is owned by %s (uid %u) and cannot be written by uid %u: chown -R %s %s", dir,
	    owner, st.st_uid, uid, us, dir);
}

bool
file_explain_unreadable(const char *path, struct err *e)
{
	char owner[64], us[64];
	uid_t uid = geteuid();
	struct stat st;

	if (stat(path, &st) != 0 || st.st_uid == uid)
		return err_set(e, ERR_CONFIG, "%s: cannot be read by uid %u", path, uid);
	return err_set(e, ERR_CONFIG,
	    "%s is owned by %s (uid %u) and cannot be read by uid %u: chown %s %s", path,
	    user_name(st.st_uid, owner), st.st_uid, uid, user_name(uid, us), path);
}

/* wanted: dir itself, or what is to be made in it. */
static bool
try_dir(const char *dir, const char *wanted, struct err *e)
{
	CLEANUP_FREE char *from = xasprintf("%s/.acmems-test-XXXXXX", dir);
	CLEANUP_FREE char *to = NULL;
	CLEANUP_FD int fd = mkostemp(from, O_CLOEXEC);
	int saved;

	if (fd < 0)
		return explain_unwritable(dir, wanted, errno, e);
	to = xasprintf("%s.renamed", from);
	if (rename(from, to) == 0 && unlink(to) == 0)
		return true;
	saved = errno;
	unlink(from);
	return explain_unwritable(dir, wanted, saved, e);
}

bool
file_dir_writable(const char *dir, struct err *e)
{
	return try_dir(dir, dir, e);
}

bool
file_dir_makeable(const char *dir, struct err *e)
{
	CLEANUP_FREE char *at = xstrdup(dir);
	struct stat st;

	while (stat(at, &st) != 0 && errno == ENOENT) {
		char *above = parent(at);
		free(at);
		at = above;
	}
	return try_dir(at, dir, e);
}
