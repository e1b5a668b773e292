/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

enum {
	DAY = 24 * 60 * 60,
	SHORT_LIVED = 10 * DAY,
};

struct store *
store_hold(struct store *s)
{
	s->holders++;
	return s;
}

void
store_free(struct store *s)
{
	if (s == NULL)
		return;
	if (s->holders > 0) {
		s->holders--;
		return;
	}
	s->kind->flush(s);
	map_free(s->barred);
	s->kind->free(s);
}

void
store_adjust(struct store *s, const char *name, int64_t renew_within, int64_t keep)
{
	char *copy = xstrdup(name);

	free(s->name);
	s->name = copy;
	if (s->renew_within != renew_within)
		s->clamp_told = false;
	s->renew_within = renew_within;
	if (s->kind->keep != NULL)
		s->kind->keep(s, keep);
}

/* What counts instead of a renew_within that is too long for such a certificate. */
static bool
clamp(const struct leaf_info *leaf, int64_t *renew_within)
{
	int64_t lifetime = leaf->not_after - leaf->not_before;

	if (*renew_within <= lifetime / 3 * 2)
		return false;
	*renew_within = lifetime < SHORT_LIVED ? lifetime / 2 : lifetime / 3;
	return true;
}

int64_t
store_due_since(const struct leaf_info *leaf, int64_t renew_within)
{
	clamp(leaf, &renew_within);
	return leaf->not_after - renew_within;
}

bool
store_due(const struct leaf_info *leaf, int64_t renew_within, int64_t now, bool *ret_clamped)
{
	*ret_clamped = clamp(leaf, &renew_within);
	return leaf->not_after - now < renew_within || leaf->not_after <= now;
}

bool
store_entry_names(const struct store_entry *entry, struct identifiers *ret)
{
	struct chain *chain;

	*ret = (struct identifiers){0};
	if (entry->meta.names != NULL) {
		identifiers_copy(ret, entry->meta.names);
		return true;
	}
	chain = chain_parse(entry->pem, entry->pem_len, NULL);
	if (chain == NULL)
		return false;
	identifiers_copy(ret, &chain->names);
	chain_free(chain);
	return ret->count > 0;
}

static bool
same(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

/* Let's Encrypt's; no other CA names its issuers so. */
static bool
is_staging(const char *directory_url)
{
	return strstr(directory_url, "://acme-staging") != NULL;
}

bool
store_entry_fits(const struct store_entry *entry, const char *directory_url, const char *profile)
{
	static const char STAGING[] = "(STAGING)";

	if (entry->has_meta)
		return same(entry->meta.directory_url, directory_url) &&
		    same(entry->meta.profile, profile);
	return strncmp(entry->meta.leaf.issuer, STAGING, sizeof(STAGING) - 1) != 0 ||
	    is_staging(directory_url);
}

void
store_bar_key(struct store *s, const uint8_t spki_sha256[32])
{
	if (s->barred == NULL)
		s->barred = map_new();
	map_put(s->barred, spki_sha256, 32, s);
}

bool
store_bars_key(const struct store *s, const uint8_t spki_sha256[32])
{
	return s->barred != NULL && map_get(s->barred, spki_sha256, 32) != NULL;
}

void
store_each_barred(const struct store *s,
    void (*fn)(const void *key, size_t len, void *value, void *arg), void *arg)
{
	if (s->barred != NULL)
		map_each(s->barred, fn, arg);
}
