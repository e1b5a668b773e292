/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_bars.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/digest.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "issue/store_sync.h"

static const char folder[] = "barred-keys";

enum { NAME_LEN = 64 };

/* ---- names ---- */

static uint8_t
digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static bool
read_name(const char *name, uint8_t ret[32])
{
	if (strlen(name) != NAME_LEN || strspn(name, "0123456789abcdef") != NAME_LEN)
		return false;
	for (size_t i = 0; i < 32; i++)
		ret[i] = (uint8_t)(digit(name[2 * i]) << 4 | digit(name[2 * i + 1]));
	return true;
}

/* ---- loading ---- */

bool
store_bars_load(
    const char *dir, void (*fn)(void *arg, const uint8_t spki_sha256[32]), void *arg, struct err *e)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", dir, folder);
	const struct dirent *entry;
	uint8_t spki[32];
	DIR *d = opendir(path);
	int saved = errno;

	if (d == NULL)
		return saved == ENOENT ||
		    err_errno(e, ERR_CONFIG, saved, "%s: cannot be read", path);
	while ((entry = readdir(d)) != NULL)
		if (read_name(entry->d_name, spki))
			fn(arg, spki);
	closedir(d);
	return true;
}

/* ---- adding ---- */

enum { ITEM_FILE, ITEM_FOLDER, ITEM_TOP, ITEMS };

struct bar_op {
	struct op op;
	struct task task;
	struct op *step;
	struct store_sync_item items[ITEMS];
	char *path; /* for messages */
	store_put_fn *done;
	void *arg;
	struct err error;
};

static void
bar_op_free(struct bar_op *o)
{
	free(o->path);
	free(o);
}

static void
close_items(struct bar_op *o)
{
	for (size_t i = 0; i < ITEMS; i++)
		if (o->items[i].fd >= 0)
			close(o->items[i].fd);
}

/* Once the sync has begun, the descriptors are its own to close. */
static void
bar_op_cancel(struct op *op)
{
	struct bar_op *o = (struct bar_op *)op;

	if (o->step == NULL)
		close_items(o);
	op_cancel(&o->step);
	task_cancel(&o->task);
	bar_op_free(o);
}

static void
finish(void *arg)
{
	struct bar_op *o = arg;

	close_items(o);
	op_end(&o->op);
	o->done(o->arg, o->error.kind == ERR_NONE ? NULL : &o->error);
	bar_op_free(o);
}

static void
synced(void *arg)
{
	struct bar_op *o = arg;

	for (size_t i = 0; i < ITEMS; i++)
		if (o->items[i].error != 0)
			err_errno(&o->error, ERR_CONFIG, o->items[i].error,
			    "%s: cannot be made durable", o->path);
	finish(o);
}

static bool
write_file(struct bar_op *o, const char *dir, const char *name)
{
	CLEANUP_FREE char *sub = xasprintf("%s/%s", dir, folder);
	const int dir_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	const int file_flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;

	if (mkdir(sub, 0700) != 0 && errno != EEXIST)
		return false;
	o->items[ITEM_TOP].fd = open(dir, dir_flags);
	o->items[ITEM_FOLDER].fd = open(sub, dir_flags);
	if (o->items[ITEM_TOP].fd < 0 || o->items[ITEM_FOLDER].fd < 0)
		return false;
	o->items[ITEM_FILE].fd = openat(o->items[ITEM_FOLDER].fd, name, file_flags, 0600);
	return o->items[ITEM_FILE].fd >= 0;
}

void
store_bars_add(struct loop *loop, struct store_sync *sync, const char *dir,
    const uint8_t spki_sha256[32], store_put_fn *done, void *arg, struct op **slot)
{
	struct bar_op *o = xcalloc(1, sizeof(*o));
	char name[NAME_LEN + 1];

	digest_hex(spki_sha256, 32, name);
	o->path = xasprintf("%s/%s/%s", dir, folder, name);
	o->done = done;
	o->arg = arg;
	for (size_t i = 0; i < ITEMS; i++)
		o->items[i].fd = -1;
	op_begin(&o->op, slot, bar_op_cancel);
	if (write_file(o, dir, name)) {
		store_sync_start(sync, o->items, ITEMS, synced, o, &o->step);
	} else {
		err_errno(&o->error, ERR_CONFIG, errno, "%s: cannot be written", o->path);
		task_post(loop, &o->task, finish, o);
	}
}
