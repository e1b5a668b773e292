/* SPDX-License-Identifier: GPL-3.0-or-later */
/* meta.json: what the file store keeps beside csr.pem and cert.pem (acmems.conf(5)). Members may be
 * missing, unknown ones are kept. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "issue/store.h"

enum { STORE_META_MAX = 64 * 1024 };

struct meta_file; /* one that was read */

/* The caller frees the text. */
char *store_meta_text(const struct store_meta *meta);
/* ERR_CONFIG if it is no JSON object, or says no directory. */
struct meta_file *store_meta_parse(const char *text, size_t len, struct err *e);
void store_meta_free(struct meta_file *f); /* NULL is fine */
/* Valid as long as f. Of the leaf only serial, issuer and dates are known, if that. */
const struct store_meta *store_meta_of(const struct meta_file *f);
/* The same file, fetched at that time by peer; the caller frees the text. */
char *store_meta_fetched(const struct meta_file *f, int64_t fetched, const char *peer);
