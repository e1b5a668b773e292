/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_commit.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/queue.h"
#include "ev/op.h"
#include "ev/timer.h"
#include "issue/store_meta.h"
#include "issue/store_path.h"
#include "issue/store_sync.h"

enum {
	GROUP_MS = 2,
	GROUP_MAX = 32, /* bounds the descriptors that are open at a time */
	FILE_MODE = 0600,
	DIR_MODE = 0700,
};

struct part {
	char *data;
	size_t len;
	int fd; /* of the temporary file, or -1 */
	bool written;
};

struct put {
	struct op op;
	TAILQ_ENTRY(put) entry;
	char key[SHA384_HEX];
	struct part parts[STORE_PARTS];
	struct store_facts facts; /* for the index */
	char *directory_url;
	char *profile;
	int dir_fds[3]; /* entry, prefix, root: those in which a name changed, or -1 */
	struct err error;
	store_put_fn *done; /* NULL: nobody waits any more */
	void *arg;
};
TAILQ_HEAD(puts, put);

struct store_commit {
	char *dir;
	struct store_index *index;
	struct timer *timer;
	struct puts waiting;
};

/* ---- the group ---- */

static bool
failed(const struct put *p)
{
	return p->error.kind != ERR_NONE;
}

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
write_part(const struct store_commit *c, struct put *p, enum store_part which)
{
	struct part *part = &p->parts[which];
	struct store_path path;
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;

	store_path_temp(&path, c->dir, p->key, which);
	part->fd = open(path.text, flags, FILE_MODE);
	if (part->fd < 0) {
		err_errno(&p->error, ERR_CONFIG, errno, "cannot create %s", path.text);
		return;
	}
	part->written = true;
	/* A umask may have taken bits away. */
	if (fchmod(part->fd, FILE_MODE) != 0 || !write_all(part->fd, part->data, part->len))
		err_errno(&p->error, ERR_CONFIG, errno, "cannot write %s", path.text);
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
make_dirs(const struct store_commit *c, struct put *p)
{
	struct store_path prefix;
	struct store_path entry;
	bool made_prefix;
	bool made_entry;

	store_path_prefix(&prefix, c->dir, p->key);
	store_path_entry(&entry, c->dir, p->key);
	if (!make_dir(prefix.text, &made_prefix, &p->error) ||
	    !make_dir(entry.text, &made_entry, &p->error))
		return;
	p->dir_fds[0] = open_dir(entry.text, &p->error);
	if (made_entry)
		p->dir_fds[1] = open_dir(prefix.text, &p->error);
	if (made_prefix)
		p->dir_fds[2] = open_dir(c->dir, &p->error);
}

static void
write_put(const struct store_commit *c, struct put *p)
{
	make_dirs(c, p);
	for (int i = 0; i < STORE_PARTS && !failed(p); i++)
		write_part(c, p, (enum store_part)i);
}

static void
note_sync(struct put *p, int error)
{
	if (error != 0 && !failed(p))
		err_errno(&p->error, ERR_CONFIG, error, "cannot sync the entry %.16s...", p->key);
}

static void
sync_parts(struct puts *group)
{
	struct store_sync items[GROUP_MAX * STORE_PARTS];
	struct put *p;
	size_t n = 0;

	TAILQ_FOREACH (p, group, entry)
		for (int i = 0; i < STORE_PARTS; i++)
			items[n++] = (struct store_sync){.fd = failed(p) ? -1 : p->parts[i].fd};
	store_sync(items, n);
	n = 0;
	TAILQ_FOREACH (p, group, entry)
		for (int i = 0; i < STORE_PARTS; i++)
			note_sync(p, items[n++].error);
}

/* csr.pem first, cert.pem last: with the certificate the entry is whole. */
static void
rename_put(const struct store_commit *c, struct put *p)
{
	struct store_path from;
	struct store_path to;

	for (int i = 0; i < STORE_PARTS && !failed(p); i++) {
		store_path_temp(&from, c->dir, p->key, (enum store_part)i);
		store_path_part(&to, c->dir, p->key, (enum store_part)i);
		if (rename(from.text, to.text) != 0)
			err_errno(&p->error, ERR_CONFIG, errno, "cannot replace %s", to.text);
		else
			p->parts[i].written = false;
	}
}

static void
sync_dirs(struct puts *group)
{
	enum { DIRS = sizeof(((struct put *)NULL)->dir_fds) / sizeof(int) };
	struct store_sync items[GROUP_MAX * DIRS];
	struct put *p;
	size_t n = 0;

	TAILQ_FOREACH (p, group, entry)
		for (int i = 0; i < DIRS; i++)
			items[n++] = (struct store_sync){.fd = failed(p) ? -1 : p->dir_fds[i]};
	store_sync(items, n);
	n = 0;
	TAILQ_FOREACH (p, group, entry)
		for (int i = 0; i < DIRS; i++)
			note_sync(p, items[n++].error);
}

static void
index_put(const struct store_commit *c, struct put *p)
{
	struct stat cert;
	struct stat meta;

	if (fstat(p->parts[STORE_CERT].fd, &cert) != 0 ||
	    fstat(p->parts[STORE_META].fd, &meta) != 0)
		return;
	p->facts.cert = file_stamp_of(&cert);
	p->facts.meta = file_stamp_of(&meta);
	store_index_put(c->index, p->key, &p->facts);
}

/* ---- ends ---- */

static void
close_put(const struct store_commit *c, struct put *p)
{
	struct store_path path;

	for (int i = 0; i < STORE_PARTS; i++) {
		struct part *part = &p->parts[i];
		if (part->fd >= 0)
			close(part->fd);
		if (part->written)
			unlink(store_path_temp(&path, c->dir, p->key, (enum store_part)i));
		free(part->data);
	}
	for (size_t i = 0; i < sizeof(p->dir_fds) / sizeof(int); i++)
		if (p->dir_fds[i] >= 0)
			close(p->dir_fds[i]);
	free(p->directory_url);
	free(p->profile);
}

static void
report(const struct store_commit *c, struct put *p)
{
	close_put(c, p);
	if (p->done != NULL) {
		op_end(&p->op);
		p->done(p->arg, failed(p) ? &p->error : NULL);
	}
	free(p);
}

static void
commit_group(struct store_commit *c, struct puts *group)
{
	struct put *p;

	TAILQ_FOREACH (p, group, entry)
		write_put(c, p);
	sync_parts(group);
	TAILQ_FOREACH (p, group, entry)
		rename_put(c, p);
	sync_dirs(group);
	TAILQ_FOREACH (p, group, entry)
		if (!failed(p))
			index_put(c, p);
	while ((p = TAILQ_FIRST(group)) != NULL) {
		TAILQ_REMOVE(group, p, entry);
		report(c, p);
	}
}

static bool
is_in(const struct puts *group, const char *key)
{
	const struct put *p;

	TAILQ_FOREACH (p, group, entry)
		if (strcmp(p->key, key) == 0)
			return true;
	return false;
}

/* As many as make a group. Two of one key in it would write the same temporary files. */
static void
take_group(struct store_commit *c, struct puts *group)
{
	struct put *p;

	for (size_t n = 0; n < GROUP_MAX && (p = TAILQ_FIRST(&c->waiting)) != NULL; n++) {
		if (is_in(group, p->key))
			break;
		TAILQ_REMOVE(&c->waiting, p, entry);
		TAILQ_INSERT_TAIL(group, p, entry);
	}
}

static void
commit_some(void *arg)
{
	struct store_commit *c = arg;
	struct puts group = TAILQ_HEAD_INITIALIZER(group);

	take_group(c, &group);
	commit_group(c, &group);
	if (!TAILQ_EMPTY(&c->waiting))
		timer_start(c->timer, 0);
}

void
store_commit_flush(struct store_commit *c)
{
	while (!TAILQ_EMPTY(&c->waiting))
		commit_some(c);
	timer_stop(c->timer);
}

/* ---- the interface ---- */

struct store_commit *
store_commit_new(struct loop *loop, const char *dir, struct store_index *index)
{
	struct store_commit *c = xcalloc(1, sizeof(*c));

	c->dir = xstrdup(dir);
	c->index = index;
	c->timer = timer_new(loop, commit_some, c);
	TAILQ_INIT(&c->waiting);
	return c;
}

void
store_commit_free(struct store_commit *c)
{
	if (c == NULL)
		return;
	store_commit_flush(c);
	timer_free(c->timer);
	free(c->dir);
	free(c);
}

static void
put_cancel(struct op *op)
{
	((struct put *)op)->done = NULL;
}

static char *
copy_or_null(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

static void
set_part(struct put *p, enum store_part which, char *data, size_t len)
{
	p->parts[which] = (struct part){.data = data, .len = len, .fd = -1};
}

static struct put *
put_new(const struct store_put *put)
{
	struct put *p = xcalloc(1, sizeof(*p));
	char *meta = store_meta_text(put->meta);

	assert(strlen(put->key) == STORE_KEY_LEN);
	memcpy(p->key, put->key, sizeof(p->key));
	set_part(p, STORE_CSR, xmemdup(put->body, put->body_len), put->body_len);
	set_part(p, STORE_META, meta, strlen(meta));
	set_part(p, STORE_CERT, xmemdup(put->pem, put->pem_len), put->pem_len);
	p->dir_fds[0] = p->dir_fds[1] = p->dir_fds[2] = -1;
	p->directory_url = copy_or_null(put->meta->directory_url);
	p->profile = copy_or_null(put->meta->profile);
	p->facts = (struct store_facts){
	    .has_meta = true,
	    .directory_url = p->directory_url,
	    .profile = p->profile,
	    .leaf = put->meta->leaf,
	    .issued = put->meta->issued,
	    .fetched = put->meta->fetched,
	};
	return p;
}

void
store_commit_put(struct store_commit *c, const struct store_put *put, store_put_fn *done, void *arg,
    struct op **slot)
{
	struct put *p = put_new(put);

	p->done = done;
	p->arg = arg;
	op_begin(&p->op, slot, put_cancel);
	TAILQ_INSERT_TAIL(&c->waiting, p, entry);
	if (!timer_running(c->timer))
		timer_start(c->timer, GROUP_MS);
}

bool
store_commit_waits(const struct store_commit *c, const char *key)
{
	return is_in(&c->waiting, key);
}
