/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of equal names a file is: one that was replaced differs in one of these. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct file_stamp {
	int64_t mtime_ns;
	int64_t size;
	uint64_t inode;
};

struct file_stamp file_stamp_of(const struct stat *st);
struct file_stamp file_stamp_at(const char *path); /* all 0: there is none */
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);
