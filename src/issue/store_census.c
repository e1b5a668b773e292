/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_census.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/queue.h"

/* The newest entry for a set of names. */
struct counted {
	TAILQ_ENTRY(counted) entry;
	char names[CENSUS_NAMES];
	char key[SHA384_HEX];
	int64_t not_before;
	int64_t not_after;
	unsigned pass; /* in which it was met last */
};

struct store_census {
	struct map *by_names;
	TAILQ_HEAD(, counted) all;
	unsigned pass;
	bool known;
};

struct store_census *
store_census_new(void)
{
	struct store_census *c = xcalloc(1, sizeof(*c));

	c->by_names = map_new();
	TAILQ_INIT(&c->all);
	return c;
}

static void
forget(struct store_census *c, struct counted *n)
{
	TAILQ_REMOVE(&c->all, n, entry);
	map_remove(c->by_names, n->names, strlen(n->names));
	free(n);
}

void
store_census_free(struct store_census *c)
{
	struct counted *n;

	if (c == NULL)
		return;
	while ((n = TAILQ_FIRST(&c->all)) != NULL)
		forget(c, n);
	map_free(c->by_names);
	free(c);
}

void
store_census_names(const struct identifiers *names, const char *key, char out[CENSUS_NAMES])
{
	char *text = names == NULL ? xstrdup(key) : identifiers_key(names);
	char digest[SHA384_HEX];

	digest_sha384_hex(text, strlen(text), digest);
	snprintf(out, CENSUS_NAMES, "%.*s", CENSUS_NAMES - 1, digest);
	free(text);
}

static struct counted *
find(struct store_census *c, const char *names)
{
	struct counted *n = map_get(c->by_names, names, strlen(names));

	if (n != NULL)
		return n;
	n = xcalloc(1, sizeof(*n));
	snprintf(n->names, sizeof(n->names), "%s", names);
	map_put(c->by_names, n->names, strlen(n->names), n);
	TAILQ_INSERT_TAIL(&c->all, n, entry);
	return n;
}

void
store_census_add(struct store_census *c, const char *key, const char *names, int64_t not_before,
    int64_t not_after)
{
	struct counted *n = find(c, names);

	/* An older one beside the newest; the newest itself may have been replaced by anything. */
	if (strcmp(n->key, key) != 0 && n->key[0] != '\0' && not_before < n->not_before)
		return;
	snprintf(n->key, sizeof(n->key), "%s", key);
	n->not_before = not_before;
	n->not_after = not_after;
	n->pass = c->pass;
}

/* An older entry for the same names, if there is one, is met again by the walk. */
void
store_census_remove(struct store_census *c, const char *key)
{
	struct counted *n;
	struct counted *next;

	TAILQ_FOREACH_SAFE (n, &c->all, entry, next)
		if (strcmp(n->key, key) == 0)
			forget(c, n);
}

void
store_census_passed(struct store_census *c)
{
	struct counted *n;
	struct counted *next;

	TAILQ_FOREACH_SAFE (n, &c->all, entry, next)
		if (n->pass != c->pass)
			forget(c, n);
	c->pass++;
	c->known = true;
}

static void
count(const struct counted *n, int64_t renew_within, int64_t now, struct store_figures *f)
{
	const struct leaf_info leaf = {.not_before = n->not_before, .not_after = n->not_after};
	int64_t due = store_due_since(&leaf, renew_within);

	f->held++;
	if (f->held == 1 || n->not_after < f->nearest_expiry)
		f->nearest_expiry = n->not_after;
	if (n->not_after <= now)
		f->expired++;
	if (due > now)
		return;
	f->due++;
	if (f->due == 1 || due < f->due_since)
		f->due_since = due;
}

void
store_census_figures(
    const struct store_census *c, int64_t renew_within, int64_t now, struct store_figures *ret)
{
	const struct counted *n;

	*ret = (struct store_figures){.known = c->known};
	TAILQ_FOREACH (n, &c->all, entry)
		count(n, renew_within, now, ret);
}
