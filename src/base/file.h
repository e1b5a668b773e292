/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whole small files: read with a bound, written atomically and durably
 * (temporary file, fsync, rename, fsync of the directory).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the file to out (whose maximum bounds it). ERR_CONFIG with the path and reason. errno is
 * kept, so that ENOENT can be told apart. */
bool file_read(const char *path, struct buf *out, struct err *e);
/* Replaces path by data. mode is exact, whatever the umask. Blocks for two syncs. */
bool file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err *e);
/* The same; written by root in somebody else's folder it is his. */
bool file_write_given(const char *path, const void *data, size_t len, mode_t mode, struct err *e);
/* Root gives a file that it has just made to whoever owns the folder of path. */
void file_give(int fd, const char *path);
/* Like rename(2) and unlink(2), and durable: the directory is synced. ERR_CONFIG. */
bool file_rename(const char *from, const char *to, struct err *e);
bool file_unlink(const char *path, struct err *e);
/* mkdir with exactly that mode; an existing directory is fine. Parents are made with the same. */
bool file_mkdirs(const char *path, mode_t mode, struct err *e);
/* Whether this process can create, rename and remove files in dir; tried, not guessed. The error
 * names path, owner and the chown line that mends it. */
bool file_dir_writable(const char *dir, struct err *e);
/* The same for a directory that need not be there yet: then the nearest parent that is must allow
 * it to be made. The error says how to make it, not how to take the parent over. */
bool file_dir_makeable(const char *dir, struct err *e);
/* Of a file of ours that gave EACCES: owner, and the chown line that mends it. Always false. */
bool file_explain_unreadable(const char *path, struct err *e);
