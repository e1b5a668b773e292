/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "one_file.h"

#include <errno.h>

#include "base/file.h"
#include "fuzz.h"

static const char OTHERS[] =
    "key \"k\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0IHNlY3JldCE=\";\n};\n";

static struct {
	const char *path;
	const void *data;
	size_t len;
	char *written; /* owned; what data points to, once it was written */
	size_t writes;
} file;

void
one_file_set(const char *path, const void *data, size_t len)
{
	free(file.written);
	file.path = path;
	file.data = data;
	file.len = len;
	file.written = NULL;
	file.writes = 0;
}

size_t
one_file_writes(void)
{
	return file.writes;
}

/* ---- base/file.c ---- */

bool
file_read(const char *path, struct buf *out, struct err *e)
{
	bool it = strcmp(path, file.path) == 0;
	const void *data = it ? file.data : OTHERS;
	size_t len = it ? file.len : sizeof(OTHERS) - 1;

	if (data == NULL || strncmp(path, "/missing", 8) == 0) {
		err_errno(e, ERR_CONFIG, ENOENT, "%s", path);
		errno = ENOENT;
		return false;
	}
	if (buf_add(out, data, len))
		return true;
	errno = EFBIG;
	return err_set(e, ERR_CONFIG, "%s: larger than %zu bytes", path, out->max);
}

bool
file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	must(strcmp(path, file.path) == 0 && (mode & 077) == 0);
	char *copy = xmemdup(data, len);
	free(file.written);
	file.data = file.written = copy;
	file.len = len;
	file.writes++;
	return true;
}

bool
file_write_given(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	return file_write_atomic(path, data, len, mode, e);
}

void
file_give(int fd, const char *path)
{
}

bool
file_rename(const char *from, const char *to, struct err *e)
{
	return true;
}

bool
file_unlink(const char *path, struct err *e)
{
	return true;
}

bool
file_mkdirs(const char *path, mode_t mode, struct err *e)
{
	return true;
}

bool
file_dir_writable(const char *dir, struct err *e)
{
	return true;
}

bool
file_dir_makeable(const char *dir, struct err *e)
{
	return true;
}

bool
file_explain_unreadable(const char *path, struct err *e)
{
	return err_set(e, ERR_CONFIG, "%s", path);
}
