/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_write.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "issue/store_meta.h"

enum {
	FILE_MODE = 0600,
	DIR_MODE = 0700,
};

/* ---- life ---- */

static char *
copy_or_null(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

static void
set_part(struct store_write *w, enum store_part which, char *data, size_t len)
{
	w->parts[which] = (struct store_write_part){.data = data, .len = len, .fd = -1};
}

void
store_write_init(struct store_write *w, const struct store_put *put)
{
	char *meta = store_meta_text(put->meta);

	assert(strlen(put->key) == STORE_KEY_LEN);
	memset(w, 0, sizeof(*w));
	memcpy(w->key, put->key, sizeof(w->key));
	set_part(w, STORE_CSR, xmemdup(put->body, put->body_len), put->body_len);
	set_part(w, STORE_META, meta, strlen(meta));
	set_part(w, STORE_CERT, xmemdup(put->pem, put->pem_len), put->pem_len);
	for (int i = 0; i < STORE_WRITE_DIRS; i++)
		w->dirs[i] = -1;
	w->directory_url = copy_or_null(put->meta->directory_url);
	w->profile = copy_or_null(put->meta->profile);
	w->facts = (struct store_facts){
	    .has_meta = true,
	    .directory_url = w->directory_url,
	    .profile = w->profile,
	    .leaf = put->meta->leaf,
	    .issued = put->meta->issued,
	    .fetched = put->meta->fetched,
	};
}

void
store_write_done(struct store_write *w)
{
	for (int i = 0; i < STORE_PARTS; i++) {
		struct store_write_part *part = &w->parts[i];
		if (part->fd >= 0)
			close(part->fd);
		if (part->is_temp)
			unlinkat(w->dirs[STORE_DIR_ENTRY], store_temp_name((enum store_part)i), 0);
		free(part->data);
	}
	for (int i = 0; i < STORE_WRITE_DIRS; i++)
		if (w->dirs[i] >= 0)
			close(w->dirs[i]);
	free(w->directory_url);
	free(w->profile);
}

static bool
failed(const struct store_write *w)
{
	return w->error.kind != ERR_NONE;
}

/* ---- temporary files ---- */

static bool
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Names are looked up from the entry's directory, which is open anyway. */
static void
write_part(struct store_write *w, const char *dir, enum store_part which, bool fix_modes)
{
	struct store_write_part *part = &w->parts[which];
	struct store_path path;
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;

	part->fd = openat(w->dirs[STORE_DIR_ENTRY], store_temp_name(which), flags, FILE_MODE);
	if (part->fd < 0) {
		err_errno(&w->error, ERR_CONFIG, errno, "cannot create %s",
		    store_path_temp(&path, dir, w->key, which));
		return;
	}
	part->is_temp = true;
	if ((fix_modes && fchmod(part->fd, FILE_MODE) != 0) ||
	    !write_all(part->fd, part->data, part->len))
		err_errno(&w->error, ERR_CONFIG, errno, "cannot write %s",
		    store_path_temp(&path, dir, w->key, which));
}

/* ---- directories ---- */

bool
store_write_umask_bites(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return (mask & DIR_MODE) != 0;
}

enum made { MADE, WAS_THERE, NO_PARENT, NOT_MADE };

static enum made
make_dir(const char *path, bool fix_modes, struct err *e)
{
	if (mkdir(path, DIR_MODE) == 0) {
		if (!fix_modes || chmod(path, DIR_MODE) == 0)
			return MADE;
		err_errno(e, ERR_CONFIG, errno, "cannot change the mode of %s", path);
		return NOT_MADE;
	}
	if (errno == EEXIST)
		return WAS_THERE;
	int error = errno;
	err_errno(e, ERR_CONFIG, error, "cannot make %s", path);
	return error == ENOENT ? NO_PARENT : NOT_MADE;
}

static int
open_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		err_errno(e, ERR_CONFIG, errno, "cannot open %s", path);
	return fd;
}

/* The prefix is nearly always there: it is made when the entry's directory cannot be. */
static enum made
make_entry_dir(struct store_write *w, const char *dir, bool fix_modes, enum made *ret_prefix)
{
	struct store_path prefix;
	struct store_path entry;

	*ret_prefix = WAS_THERE;
	store_path_entry(&entry, dir, w->key);
	enum made made = make_dir(entry.text, fix_modes, &w->error);
	if (made != NO_PARENT)
		return made;
	store_path_prefix(&prefix, dir, w->key);
	err_clear(&w->error);
	*ret_prefix = make_dir(prefix.text, fix_modes, &w->error);
	if (*ret_prefix != MADE && *ret_prefix != WAS_THERE)
		return *ret_prefix;
	return make_dir(entry.text, fix_modes, &w->error);
}

/* Makes the entry's directories; those that get a new name in them will have to be synced. */
static void
make_dirs(struct store_write *w, const char *dir, bool fix_modes)
{
	struct store_path path;
	enum made prefix;
	enum made entry = make_entry_dir(w, dir, fix_modes, &prefix);

	if (failed(w))
		return;
	w->dirs[STORE_DIR_ENTRY] = open_dir(store_path_entry(&path, dir, w->key), &w->error);
	if (entry == MADE)
		w->dirs[STORE_DIR_PREFIX] =
		    open_dir(store_path_prefix(&path, dir, w->key), &w->error);
	if (prefix == MADE)
		w->dirs[STORE_DIR_TOP] = open_dir(dir, &w->error);
}

void
store_write_temps(struct store_write *w, const char *dir, bool fix_modes)
{
	make_dirs(w, dir, fix_modes);
	for (int i = 0; i < STORE_PARTS && !failed(w); i++)
		write_part(w, dir, (enum store_part)i, fix_modes);
}

/* ---- in place ---- */

static void
stamp(struct store_write *w)
{
	struct stat cert;
	struct stat meta;

	if (fstat(w->parts[STORE_CERT].fd, &cert) != 0 ||
	    fstat(w->parts[STORE_META].fd, &meta) != 0) {
		err_errno(&w->error, ERR_CONFIG, errno, "cannot stat the entry %.16s...", w->key);
		return;
	}
	w->facts.cert = file_stamp_of(&cert);
	w->facts.meta = file_stamp_of(&meta);
}

static void
rename_part(struct store_write *w, const char *dir, enum store_part which)
{
	int at = w->dirs[STORE_DIR_ENTRY];
	struct store_path path;

	if (renameat(at, store_temp_name(which), at, store_part_name(which)) == 0)
		w->parts[which].is_temp = false;
	else
		err_errno(&w->error, ERR_CONFIG, errno, "cannot replace %s",
		    store_path_part(&path, dir, w->key, which));
}

void
store_write_rename(struct store_write *w, const char *dir)
{
	for (int i = 0; i < STORE_PARTS && !failed(w); i++)
		rename_part(w, dir, (enum store_part)i);
	if (!failed(w))
		stamp(w);
}

/* ---- syncs ---- */

size_t
store_write_sync_parts(const struct store_write *w, struct store_sync_item items[STORE_PARTS])
{
	for (int i = 0; i < STORE_PARTS; i++)
		items[i] = (struct store_sync_item){.fd = failed(w) ? -1 : w->parts[i].fd};
	return STORE_PARTS;
}

size_t
store_write_sync_dirs(const struct store_write *w, struct store_sync_item items[STORE_WRITE_DIRS])
{
	for (int i = 0; i < STORE_WRITE_DIRS; i++)
		items[i] = (struct store_sync_item){.fd = failed(w) ? -1 : w->dirs[i]};
	return STORE_WRITE_DIRS;
}

void
store_write_synced(struct store_write *w, const struct store_sync_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].error != 0 && !failed(w))
			err_errno(&w->error, ERR_CONFIG, items[i].error,
			    "cannot sync the entry %.16s...", w->key);
}
