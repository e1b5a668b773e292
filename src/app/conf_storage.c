/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [storage "NAME"], and which of them is the default. */
#include <string.h>

#include "app/conf_build.h"
#include "app/conf_value.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define NONE "none"

enum { DAY_S = 86400, DAYS_MAX = 3650 };

static const struct conf_setter setters[] = {
    {"directory", conf_set_text, offsetof(struct storage_conf, file.directory)},
    {"renew-within", conf_set_number, offsetof(struct storage_conf, renew_within_s), 0, DAYS_MAX,
	DAY_S},
    {"keep", conf_set_number, offsetof(struct storage_conf, file.keep), 0, DAYS_MAX, DAY_S},
};

static void
build_file(struct conf_build *b, const struct conf_section *s, struct storage_conf *out)
{
	conf_set(b, s, "storage", conf_storage_types[STORE_FILE], setters, COUNT(setters), out);
	if (out->file.directory == NULL && !conf_given(s, "directory"))
		conf_error(b, s->place, "[storage \"%s\"] has no directory", s->name);
	out->directory_at = conf_at(b, s, "directory");
	if (conf_entry_find(s, "keep") == NULL)
		conf_note(b, s->place,
		    "entries expired for 30 days are removed; the original kept all (option "
		    "\"keep\")");
}

static void
report_type(struct conf_build *b, const struct conf_section *s)
{
	const struct conf_entry *type = conf_entry_find(s, "type");

	if (type == NULL)
		conf_error(b, s->place, "[storage \"%s\"] has no type", s->name);
	else
		conf_error(b, type->place, "unknown type \"%s\"%s", type->value,
		    conf_did_you_mean(type->value, conf_storage_types, STORE_TYPE_COUNT));
}

static void
build_one(struct conf_build *b, const struct conf_section *s, struct storage_conf *out)
{
	out->name = conf_keep_text(b->conf, s->name);
	out->line = s->place.line;
	if (s->type < 0) {
		report_type(b, s);
		return;
	}
	out->type = (enum store_type)s->type;
	if (out->type == STORE_FILE)
		build_file(b, s, out);
}

/* ---- the default ---- */

static int
find(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->storage_count; i++)
		if (strcmp(c->storages[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int
choose_default(struct conf_build *b, size_t configured)
{
	const struct conf_section *mgmt = conf_sections_one(&b->sections, "mgmt");
	const struct conf_entry *given = conf_entry_find(mgmt, "default-storage");
	const struct conf *c = b->conf;

	if (given == NULL)
		return configured == 1 ? 0 : find(c, NONE);
	if (given->value[0] == '\0')
		return CONF_NO_DEFAULT;
	int i = find(c, given->value);
	if (i < 0) {
		conf_error(
		    b, given->place, "default-storage: there is no [storage \"%s\"]", given->value);
		return CONF_BAD_DEFAULT;
	}
	if (configured > 1 && c->storages[i].type != STORE_NONE)
		conf_note(b, given->place,
		    "default-storage: \"%s\" is used; the original forgot it where there are "
		    "several "
		    "storage blocks and stored nothing",
		    given->value);
	return i;
}

void
conf_build_storages(struct conf_build *b)
{
	struct conf *c = b->conf;
	size_t n = conf_sections_count(&b->sections, "storage");
	const struct conf_section *s = NULL;

	/* One more: "none" is always there. */
	c->storages = conf_keep(c, n + 1, sizeof(*c->storages));
	while ((s = conf_sections_next(&b->sections, "storage", s)) != NULL)
		build_one(b, s, &c->storages[c->storage_count++]);
	if (find(c, NONE) < 0)
		c->storages[c->storage_count++] =
		    (struct storage_conf){.name = conf_keep_text(c, NONE), .type = STORE_NONE};
	b->default_storage = choose_default(b, n);
}
