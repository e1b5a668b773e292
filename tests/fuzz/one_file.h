/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes the place of base/file.c: the input is the one file there is, and nothing touches the disk.
 * Of files beside it each can be read and holds the same few octets, unless its path begins with
 * "/missing".
 */
#pragma once

#include <stddef.h>

/* The file and what it holds: borrowed until the next call. NULL: it is not there. */
void one_file_set(const char *path, const void *data, size_t len);
/* How often it was written since then; what was written is what it holds. */
size_t one_file_writes(void);
