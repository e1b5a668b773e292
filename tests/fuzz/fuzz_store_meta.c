/* SPDX-License-Identifier: GPL-3.0-or-later */
/* meta.json: whatever is accepted says the same when it is written and read again. */
#include "fuzz.h"

#include <stdbool.h>

#include "issue/store_meta.h"

static bool
same_text(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static void
check_same(const struct store_meta *a, const struct store_meta *b)
{
	must(same_text(a->directory_url, b->directory_url));
	must(same_text(a->account_url, b->account_url));
	must(same_text(a->profile, b->profile));
	must(same_text(a->auth_block, b->auth_block));
	must(same_text(a->verification, b->verification));
	must(same_text(a->certificate_url, b->certificate_url));
	must(same_text(a->leaf.serial, b->leaf.serial));
	must(same_text(a->leaf.issuer, b->leaf.issuer));
	must((a->names == NULL) == (b->names == NULL));
	must(a->names == NULL || identifiers_equal(a->names, b->names));
}

static void
check_text(const struct store_meta *meta, char *text)
{
	struct meta_file *again = store_meta_parse(text, strlen(text), NULL);

	must(again != NULL);
	check_same(meta, store_meta_of(again));
	store_meta_free(again);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e;
	struct meta_file *f = store_meta_parse((const char *)data, size, &e);
	const struct store_meta *meta;

	if (f == NULL) {
		must(e.kind == ERR_CONFIG && e.detail[0] != '\0');
		return 0;
	}
	meta = store_meta_of(f);
	must(meta->directory_url != NULL);
	must(meta->names == NULL || meta->names->count <= IDENTIFIERS_MAX);
	check_text(meta, store_meta_text(meta));
	check_text(meta, store_meta_fetched(f, 1795224845, "192.0.2.1"));
	store_meta_free(f);
	return 0;
}
