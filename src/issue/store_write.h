/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One entry of a file store on its way to the disk, in steps, so that several
 * can take each step together (store_commit.c): write the temporary files, sync
 * them, rename them, sync the directories. A failure stays in `error`, and later
 * steps do nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "issue/store.h"
#include "issue/store_index.h"
#include "issue/store_path.h"
#include "issue/store_sync.h"

/* Directories in which a name changes. */
enum { STORE_DIR_ENTRY, STORE_DIR_PREFIX, STORE_DIR_TOP, STORE_WRITE_DIRS };

struct store_write {
	char key[SHA384_HEX];
	struct store_write_part {
		char *data;
		size_t len;
		int fd;       /* of the temporary file, or -1 */
		bool is_temp; /* the temporary file is there */
	} parts[STORE_PARTS];
	int dirs[STORE_WRITE_DIRS]; /* open, or -1 */
	char *directory_url;
	char *profile;
	struct store_facts facts; /* for the index: known once the files are in place */
	struct err error;
};

void store_write_init(struct store_write *w, const struct store_put *put); /* copies */
/* Closes everything, removes temporary files, frees. */
void store_write_done(struct store_write *w);

/* Modes are 0600 and 0700; with fix_modes whatever the umask. */
void store_write_temps(struct store_write *w, const char *dir, bool fix_modes);
/* A umask that takes bits of 0700 away: fix_modes is needed. */
bool store_write_umask_bites(void);
/* csr.pem first, cert.pem last: with the certificate the entry is whole. */
void store_write_rename(struct store_write *w, const char *dir);
/* What is to be synced after temps, and after rename. Returns how many it put into items. */
size_t store_write_sync_parts(
    const struct store_write *w, struct store_sync_item items[STORE_PARTS]);
size_t store_write_sync_dirs(
    const struct store_write *w, struct store_sync_item items[STORE_WRITE_DIRS]);
void store_write_synced(struct store_write *w, const struct store_sync_item *items, size_t count);
