/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/conf_sections.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/ini.h"

static bool
same_section(const struct conf_section *a, const struct conf_section *b)
{
	return a->kind == b->kind && (!a->kind->named || strcmp(a->name, b->name) == 0);
}

static bool
gives(const struct conf_entry *entries, size_t n, const struct conf_option *o)
{
	for (size_t i = 0; i < n; i++)
		if (entries[i].option == o)
			return true;
	return false;
}

/* Options the later section gives are its own; the others stay. The original forgot these. */
static void
merge(struct conf_report *report, struct conf_section *old, struct conf_section *new)
{
	const struct conf_entry *kept = NULL;
	size_t own = new->count;

	for (size_t i = 0; i < old->count; i++) {
		if (gives(new->entries, own, old->entries[i].option))
			continue;
		kept = &old->entries[i];
		new->entries = xreallocarray(new->entries, new->count + 1, sizeof(*new->entries));
		new->entries[new->count++] = *kept;
	}
	if (kept != NULL)
		conf_report_add(report, CONF_NOTE, new->place,
		    "what [%s] says in %s stays, as far as it is not given here; the original "
		    "forgot "
		    "all of it",
		    new->kind->name, kept->place.path);
	for (size_t i = 0; i < CONF_OPTIONS_MAX; i++)
		new->given[i] = new->given[i] || old->given[i];
	free(old->entries);
	*old = *new;
}

static void
put_section(struct conf_sections *all, struct conf_report *report, struct conf_section *new)
{
	struct conf_section *old = NULL;

	for (size_t i = 0; i < all->count && new->kind->again != CONF_ADDS; i++)
		if (same_section(&all->items[i], new))
			old = &all->items[i];
	if (old == NULL) {
		all->items = xreallocarray(all->items, all->count + 1, sizeof(*all->items));
		all->items[all->count++] = *new;
	} else if (new->kind->again == CONF_MERGES) {
		merge(report, old, new);
	} else {
		free(old->entries);
		*old = *new;
	}
}

void
conf_sections_add(struct conf_sections *all, const struct ini_file *file, size_t index,
    bool others_read, struct conf_report *report)
{
	struct conf_source source = {
	    .report = report,
	    .path = file->path,
	    .file = index,
	    .others_read = others_read,
	};
	struct conf_section section;

	for (size_t i = 0; i < file->section_count; i++)
		if (conf_section_read(&source, &file->sections[i], &section))
			put_section(all, report, &section);
}

void
conf_sections_done(struct conf_sections *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->items[i].entries);
	free(all->items);
	*all = (struct conf_sections){0};
}

const struct conf_section *
conf_sections_next(
    const struct conf_sections *all, const char *kind, const struct conf_section *after)
{
	size_t i = after == NULL ? 0 : (size_t)(after - all->items) + 1;

	for (; i < all->count; i++)
		if (strcmp(all->items[i].kind->name, kind) == 0)
			return &all->items[i];
	return NULL;
}

const struct conf_section *
conf_sections_one(const struct conf_sections *all, const char *kind)
{
	return conf_sections_next(all, kind, NULL);
}

size_t
conf_sections_count(const struct conf_sections *all, const char *kind)
{
	const struct conf_section *s = NULL;
	size_t n = 0;

	while ((s = conf_sections_next(all, kind, s)) != NULL)
		n++;
	return n;
}
