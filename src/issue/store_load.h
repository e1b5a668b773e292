/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads entries of a file store. With an index, an entry whose files are those
 * the index knows is not parsed; every other one is, and enters it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "issue/store.h"
#include "issue/store_index.h"

struct meta_file;
struct store_loader;

enum store_found {
	STORE_FOUND,
	STORE_ABSENT,     /* also half-written: the certificate comes last */
	STORE_DAMAGED,    /* counts as absent; the error says what is wrong */
	STORE_UNREADABLE, /* the error says why */
};

struct store_loader *store_loader_new(const char *dir); /* copied */
void store_loader_free(struct store_loader *l);         /* NULL is fine */

/* *ret points into the loader and the index: valid until the next call or change of the index. */
enum store_found store_load(struct store_loader *l, struct store_index *index, const char *key,
    struct store_entry *ret, struct err *e);
/* Everything, past the index. */
enum store_found store_load_all(
    struct store_loader *l, const char *key, struct store_entry *ret, struct err *e);
/* meta.json of an entry; the caller frees it. NULL if there is none (e->kind is ERR_NONE then), or
 * it is not readable. */
struct meta_file *store_load_meta(
    const char *dir, const char *key, struct file_stamp *ret_stamp, struct err *e);
