/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file_stamp.h"

struct file_stamp
file_stamp_of(const struct stat *st)
{
	return (struct file_stamp){
	    .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
	    .size = st->st_size,
	    .inode = st->st_ino,
	};
}

struct file_stamp
file_stamp_at(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? file_stamp_of(&st) : (struct file_stamp){0};
}

bool
file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->mtime_ns == b->mtime_ns && a->size == b->size && a->inode == b->inode;
}
