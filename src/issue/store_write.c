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
store_write_done(struct store_write *w, const char *dir)
{
	struct store_path path;

	for (int i = 0; i < STORE_PARTS; i++) {
		struct store_write_part *part = &w->parts[i];
		if (part->fd >= 0)
			close(part->fd);
		if (part->is_temp)
			unlink(store_path_temp(&path, dir, w->key, (enum store_part)i));
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

static void
write_part(struct store_write *w, const char *dir, enum store_part which)
{
	struct store_write_part *part = &w->parts[which];
	struct store_path path;
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;

	store_path_temp(&path, dir, w->key, which);
	part->fd = open(path.text, flags, FILE_MODE);
	if (part->fd < 0) {
		err_errno(&w->error, ERR_CONFIG, errno, "cannot create %s", path.text);
		return;
	}
	part->is_temp = true;
	/* A umask may have taken bits away. */
	if (fchmod(part->fd, FILE_MODE) != 0 || !write_all(part->fd, part->data, part->len))
		err_errno(&w->error, ERR_CONFIG, errno, "cannot write %s", path.text);
}

static bool
make_dir(const char *path, bool *ret_made, struct err *e)
{
	*ret_made = mkdir(path, DIR_MODE) == 0;
	if (!*ret_made && errno != EEXIST)
		return err_errno(e, ERR_CONFIG, errno, "cannot make %s", path);
	if (*ret_made && chmod(path, DIR_MODE) != 0)
		return err_errno(e, ERR_CONFIG, errno, "cannot change the mode of %s", path);
	return true;
}

static int
open_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		err_errno(e, ERR_CONFIG, errno, "cannot open %s", path);
	return fd;
}

/* Makes the entry's directories; those that get a new name in them will have to be synced. */
static void
make_dirs(struct store_write *w, const char *dir)
{
	struct store_path prefix;
	struct store_path entry;
	bool made_prefix;
	bool made_entry;

	store_path_prefix(&prefix, dir, w->key);
	store_path_entry(&entry, dir, w->key);
	if (!make_dir(prefix.text, &made_prefix, &w->error) ||
	    !make_dir(entry.text, &made_entry, &w->error))
		return;
	w->dirs[0] = open_dir(entry.text, &w->error);
	if (made_entry)
		w->dirs[1] = open_dir(prefix.text, &w->error);
	if (made_prefix)
		w->dirs[2] = open_dir(dir, &w->error);
}

void
store_write_temps(struct store_write *w, const char *dir)
{
	make_dirs(w, dir);
	for (int i = 0; i < STORE_PARTS && !failed(w); i++)
		write_part(w, dir, (enum store_part)i);
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

void
store_write_rename(struct store_write *w, const char *dir)
{
	struct store_path from;
	struct store_path to;

	for (int i = 0; i < STORE_PARTS && !failed(w); i++) {
		store_path_temp(&from, dir, w->key, (enum store_part)i);
		store_path_part(&to, dir, w->key, (enum store_part)i);
		if (rename(from.text, to.text) != 0)
			err_errno(&w->error, ERR_CONFIG, errno, "cannot replace %s", to.text);
		else
			w->parts[i].is_temp = false;
	}
	if (!failed(w))
		stamp(w);
}

/* ---- syncs ---- */

size_t
store_write_sync_parts(const struct store_write *w, struct store_sync items[STORE_PARTS])
{
	for (int i = 0; i < STORE_PARTS; i++)
		items[i] = (struct store_sync){.fd = failed(w) ? -1 : w->parts[i].fd};
	return STORE_PARTS;
}

size_t
store_write_sync_dirs(const struct store_write *w, struct store_sync items[STORE_WRITE_DIRS])
{
	for (int i = 0; i < STORE_WRITE_DIRS; i++)
		items[i] = (struct store_sync){.fd = failed(w) ? -1 : w->dirs[i]};
	return STORE_WRITE_DIRS;
}

void
store_write_synced(struct store_write *w, const struct store_sync *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].error != 0 && !failed(w))
			err_errno(&w->error, ERR_CONFIG, items[i].error,
			    "cannot sync the entry %.16s...", w->key);
}
