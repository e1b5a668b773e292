/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"

enum { KEY_FILE_MAX = 64 * 1024, DIR_MODE = 0700, FILE_MODE = 0600 };

char *
account_path(const char *dir, const char *name)
{
	size_t n = strlen(dir);

	return xasprintf("%s%s%s", dir, n > 0 && dir[n - 1] == '/' ? "" : "/", name);
}

static bool
key_file_tighten(const char *path, enum key_file_event *ret_event, struct err *e)
{
	struct stat st;

	*ret_event = KEY_FILE_LOADED;
	if (stat(path, &st) != 0 || (st.st_mode & 077) == 0)
		return true;
	if (chmod(path, FILE_MODE) != 0)
		return err_errno(e, ERR_CONFIG, errno,
		    "%s can be read by others, and its mode cannot be changed", path);
	*ret_event = KEY_FILE_TIGHTENED;
	return true;
}

static struct key *
key_file_make(const char *path, enum key_type type, enum key_file_event *ret_event, struct err *e)
{
	struct key *key = key_generate(type, e);
	char *pem;

	if (key == NULL)
		return NULL;
	pem = key_to_pem(key);
	if (!file_write_atomic(path, pem, strlen(pem), FILE_MODE, e)) {
		key_free(key);
		key = NULL;
	}
	free_secret(pem, strlen(pem));
	*ret_event = KEY_FILE_MADE;
	return key;
}

static struct key *
key_file_parse(const char *path, const struct buf *pem, struct err *e)
{
	struct key *key = key_from_pem(pem->data, pem->len, e);

	if (key == NULL) {
		err_prefix(e, "%s", path);
		if (e != NULL)
			e->kind = ERR_CONFIG;
	}
	return key;
}

static struct key *
key_file_load(
    const char *path, const struct buf *pem, enum key_file_event *ret_event, struct err *e)
{
	struct key *key = key_file_parse(path, pem, e);

	if (key != NULL && !key_file_tighten(path, ret_event, e)) {
		key_free(key);
		return NULL;
	}
	return key;
}

static void
pem_done(struct buf *pem)
{
	if (pem->data != NULL)
		explicit_bzero(pem->data, pem->len);
	buf_done(pem);
}

bool
key_file_check(const char *dir, struct err *e)
{
	char *path = account_path(dir, "account.pem");
	struct key *key = NULL;
	struct buf pem;
	bool ok;

	buf_init(&pem, KEY_FILE_MAX);
	errno = 0;
	if (file_read(path, &pem, e))
		ok = (key = key_file_parse(path, &pem, e)) != NULL;
	else
		ok = errno == ENOENT ||
		    errno == ENOTDIR; /* of the directory, which is checked elsewhere */
	key_free(key);
	pem_done(&pem);
	free(path);
	return ok;
}

struct key *
key_file_open(const char *dir, enum key_type type, enum key_file_event *ret_event, struct err *e)
{
	char *path = account_path(dir, "account.pem");
	struct key *key = NULL;
	struct buf pem;

	buf_init(&pem, KEY_FILE_MAX);
	if (!file_mkdirs(dir, DIR_MODE, e))
		goto out;
	errno = 0;
	if (file_read(path, &pem, e))
		key = key_file_load(path, &pem, ret_event, e);
	else if (errno == ENOENT)
		key = key_file_make(path, type, ret_event, e);
out:
	pem_done(&pem);
	free(path);
	return key;
}
