/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/key_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acme/account_lock.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/file_lock.h"

enum { KEY_FILE_MAX = 64 * 1024, DIR_MODE = 0700, FILE_MODE = 0600 };

char *
account_path(const char *dir, const char *name)
{
	size_t n = strlen(dir);

	return xasprintf("%s%s%s", dir, n > 0 && dir[n - 1] == '/' ? "" : "/", name);
}

bool
key_file_there(const char *dir, const char *name)
{
	CLEANUP_FREE char *path = account_path(dir, name);

	return access(path, F_OK) == 0;
}

/* ---- reading ---- */

static void
pem_done(struct buf *pem)
{
	if (pem->data != NULL)
		explicit_bzero(pem->data, pem->len);
	buf_done(pem);
}

/* errno tells why it could not be read; 0: it could. */
static struct key *
key_file_read(const char *path, struct err *e)
{
	struct key *key = NULL;
	struct buf pem;

	buf_init(&pem, KEY_FILE_MAX);
	errno = 0;
	if (file_read(path, &pem, e)) {
		key = key_from_pem(pem.data, pem.len, e);
		if (key == NULL)
			err_prefix(e, "%s", path);
		if (key == NULL && e != NULL)
			e->kind = ERR_CONFIG;
		errno = 0;
	}
	pem_done(&pem);
	return key;
}

struct key *
key_file_load(const char *dir, const char *name, struct err *e)
{
	CLEANUP_FREE char *path = account_path(dir, name);

	return key_file_read(path, e);
}

bool
key_file_check(const char *dir, struct err *e)
{
	CLEANUP_FREE char *path = account_path(dir, KEY_FILE);
	struct key *key = key_file_read(path, e);
	/* ENOTDIR: of the directory, which is checked elsewhere. */
	bool ok = key != NULL || errno == ENOENT || errno == ENOTDIR;

	key_free(key);
	return ok || (errno == EACCES && file_explain_unreadable(path, e));
}

/* ---- the usual: loaded, or made ---- */

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

/* Under the lock. Somebody may have made it while we waited for that. */
static struct key *
key_file_make(const char *dir, enum key_type type, enum key_file_event *ret_event, struct err *e)
{
	struct key *key = key_file_load(dir, KEY_FILE, e);

	if (key != NULL || errno != ENOENT)
		return key;
	key = key_generate(type, e);
	if (key == NULL)
		return NULL;
	*ret_event = KEY_FILE_MADE;
	if (key_file_write(dir, KEY_FILE, key, e))
		return key;
	key_free(key);
	return NULL;
}

static struct key *
key_file_make_locked(
    const char *dir, enum key_type type, enum key_file_event *ret_event, struct err *e)
{
	struct key *key;
	int lock = -1;

	if (!account_lock_wait(dir, &lock, e))
		return NULL;
	key = key_file_make(dir, type, ret_event, e);
	file_unlock(&lock);
	return key;
}

struct key *
key_file_open(const char *dir, enum key_type type, enum key_file_event *ret_event, struct err *e)
{
	CLEANUP_FREE char *path = account_path(dir, KEY_FILE);
	struct key *key;

	*ret_event = KEY_FILE_LOADED;
	if (!file_mkdirs(dir, DIR_MODE, e))
		return NULL;
	key = key_file_read(path, e);
	if (key == NULL && errno == ENOENT)
		return key_file_make_locked(dir, type, ret_event, e);
	if (key != NULL && !key_file_tighten(path, ret_event, e)) {
		key_free(key);
		return NULL;
	}
	return key;
}

static bool
key_file_replace(const char *dir, enum key_type type, bool replace, struct err *e)
{
	bool there = key_file_there(dir, KEY_FILE);
	struct key *key;
	bool ok;

	if (key_file_there(dir, KEY_FILE_PENDING))
		return err_set(e, ERR_ACCOUNT,
		    "%s/" KEY_FILE_PENDING " is a change of keys that was broken off; it has to be "
		    "brought to its end first, by the daemon or by acme-register without --gen-key",
		    dir);
	if (there && !replace)
		return err_set(e, ERR_ACCOUNT,
		    "%s/" KEY_FILE " is there already, and the account with it; --force makes "
		    "another one all the same",
		    dir);
	if (there && !key_file_keep_old(dir, e))
		return false;
	key = key_generate(type, e);
	ok = key != NULL && key_file_write(dir, KEY_FILE, key, e);
	key_free(key);
	return ok;
}

bool
key_file_generate(const char *dir, enum key_type type, bool replace, struct err *e)
{
	int lock = -1;
	bool ok;

	if (!file_mkdirs(dir, DIR_MODE, e) || !account_lock_wait(dir, &lock, e))
		return false;
	ok = key_file_replace(dir, type, replace, e);
	file_unlock(&lock);
	return ok;
}

/* ---- changing ---- */

bool
key_file_write(const char *dir, const char *name, const struct key *key, struct err *e)
{
	CLEANUP_FREE char *path = account_path(dir, name);
	char *pem = key_to_pem(key);
	bool ok = file_write_given(path, pem, strlen(pem), FILE_MODE, e);

	free_secret(pem, strlen(pem));
	return ok;
}

/* A copy, since account.pem has to be there at every moment. */
bool
key_file_keep_old(const char *dir, struct err *e)
{
	CLEANUP_FREE char *path = account_path(dir, KEY_FILE);
	CLEANUP_FREE char *old = account_path(dir, KEY_FILE_OLD);
	struct buf pem;
	bool ok;

	buf_init(&pem, KEY_FILE_MAX);
	ok = file_read(path, &pem, e) && file_write_given(old, pem.data, pem.len, FILE_MODE, e);
	pem_done(&pem);
	return ok;
}

static bool
key_file_move(const char *dir, const char *from, const char *to, struct err *e)
{
	CLEANUP_FREE char *before = account_path(dir, from);
	CLEANUP_FREE char *after = account_path(dir, to);

	return file_rename(before, after, e);
}

bool
key_file_finish(const char *dir, struct err *e)
{
	return key_file_keep_old(dir, e) && key_file_move(dir, KEY_FILE_PENDING, KEY_FILE, e);
}

bool
key_file_drop(const char *dir, struct err *e)
{
	CLEANUP_FREE char *path = account_path(dir, KEY_FILE_PENDING);

	return file_unlink(path, e);
}

bool
key_file_set_aside(const char *dir, struct err *e)
{
	return key_file_move(dir, KEY_FILE_PENDING, KEY_FILE_UNUSED, e);
}
