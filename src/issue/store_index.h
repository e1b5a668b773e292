/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a file store knows of its entries without parsing them again: as long as
 * the files' stamps are the same, so are the facts, and the chain, which is kept
 * as long as there is room. Bounded; what was not asked for longest goes first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/chain.h"
#include "issue/store_path.h"

struct store_index;

struct store_facts {
	struct file_stamp cert;
	bool has_meta;
	struct file_stamp meta; /* if has_meta */
	const char *directory_url;
	const char *profile; /* "": none */
	struct leaf_info leaf;
	int64_t issued;
	int64_t fetched;
	const char *pem; /* NULL: not kept */
	size_t pem_len;
};

/* max: entries; pem_max: bytes of chains. */
struct store_index *store_index_new(size_t max, size_t pem_max);
void store_index_free(struct store_index *x); /* NULL is fine */
/* NULL if unknown. Valid until the next put or remove. */
const struct store_facts *store_index_get(struct store_index *x, const char *key);
/* Copies, strings too (NULL is ""), but no chain; replaces what is there. Returns its copy. */
const struct store_facts *store_index_put(
    struct store_index *x, const char *key, const struct store_facts *facts);
/* A copy of the chain of an entry that is there. */
void store_index_keep_pem(struct store_index *x, const char *key, const char *pem, size_t len);
void store_index_remove(struct store_index *x, const char *key);
/* meta.json was rewritten by us. */
void store_index_rewritten(
    struct store_index *x, const char *key, const struct file_stamp *meta, int64_t fetched);
size_t store_index_count(const struct store_index *x);
