/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/conf_section.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/ini.h"

static struct conf_place
place_of(const struct conf_source *source, int line)
{
	return (struct conf_place){source->path, source->file, line};
}

/* ---- options against the table ---- */

static void
unknown_option(
    struct conf_source *source, const struct conf_section *s, const struct ini_option *in)
{
	enum conf_severity severity = s->kind->strict ? CONF_ERROR : CONF_WARNING;
	const char *type = s->type >= 0 ? s->kind->types[s->type] : NULL;
	const char *closest = conf_option_closest(s->kind->name, type, in->key);
	struct conf_place place = place_of(source, in->line);

	if (conf_option_find(s->kind->name, NULL, in->key) != NULL)
		conf_report_add(source->report, severity, place,
		    "option \"%s\" has no meaning for type %s; it is ignored", in->key, type);
	else if (closest != NULL)
		conf_report_add(source->report, severity, place,
		    "unknown option \"%s\" in [%s]; did you mean \"%s\"?", in->key, s->kind->name,
		    closest);
	else
		conf_report_add(source->report, severity, place, "unknown option \"%s\" in [%s]",
		    in->key, s->kind->name);
}

static bool
empty_is_fine(
    struct conf_source *source, const struct conf_section *s, const struct conf_option *o, int line)
{
	if (o->empty && !s->kind->strict)
		return true;
	conf_report_add(source->report, CONF_ERROR, place_of(source, line),
	    "option \"%s\" has no value", o->name);
	return false;
}

static void
check_secret(struct conf_source *source, const struct conf_option *o, int line)
{
	if (!o->secret || !source->others_read || source->warned)
		return;
	source->warned = true;
	conf_report_add(source->report, CONF_WARNING, place_of(source, line),
	    "\"%s\" is a secret, and others can read this file: chmod o-r %s", o->name,
	    source->path);
}

/* seen[] has, for each option, one more than the index of its last entry. */
static void
take_option(
    struct conf_source *source, struct conf_section *s, const struct ini_option *in, size_t *seen)
{
	const char *type = s->type >= 0 ? s->kind->types[s->type] : NULL;
	const struct conf_option *o = conf_option_find(s->kind->name, type, in->key);

	if (o == NULL) {
		unknown_option(source, s, in);
		return;
	}
	s->given[conf_option_index(o)] = true;
	if (in->value[0] == '\0' && !empty_is_fine(source, s, o, in->line))
		return;
	check_secret(source, o, in->line);
	size_t *last = &seen[conf_option_index(o)];
	if (*last > 0 && !o->list) {
		conf_report_add(source->report, CONF_WARNING, place_of(source, in->line),
		    "\"%s\" was already given in line %d; this one counts", o->name,
		    s->entries[*last - 1].place.line);
	} else {
		s->entries = xreallocarray(s->entries, s->count + 1, sizeof(*s->entries));
		*last = ++s->count;
	}
	s->entries[*last - 1] = (struct conf_entry){
	    .option = o, .value = in->value, .key = in->key, .place = place_of(source, in->line)};
}

static int
find_type(const struct conf_kind *kind, const struct ini_section *in)
{
	int type = -1;

	for (size_t i = 0; i < in->option_count; i++)
		if (strcmp(in->options[i].key, "type") == 0)
			type = conf_type_parse(kind, in->options[i].value);
	return type;
}

/* ---- the section ---- */

static void
unknown_section(struct conf_source *source, const struct ini_section *in)
{
	const char *closest = conf_kind_closest(in->kind);

	if (closest != NULL)
		conf_report_add(source->report, CONF_WARNING, place_of(source, in->line),
		    "unknown section [%s]; did you mean [%s]?", in->kind, closest);
	else
		conf_report_add(source->report, CONF_WARNING, place_of(source, in->line),
		    "unknown section [%s]", in->kind);
}

/* False: the header is wrong, and the section cannot be used. */
static bool
check_header(struct conf_source *source, const struct conf_kind *kind, const struct ini_section *in)
{
	struct conf_place place = place_of(source, in->line);

	if (kind->named && in->name == NULL) {
		conf_report_add(source->report, CONF_ERROR, place,
		    "[%s] needs a name: [%s \"NAME\"]", kind->name, kind->name);
		return false;
	}
	if (!kind->named && in->name != NULL) {
		conf_report_add(source->report, CONF_ERROR, place, "[%s] takes no name: write [%s]",
		    kind->name, kind->name);
		return false;
	}
	return true;
}

bool
conf_section_read(
    struct conf_source *source, const struct ini_section *in, struct conf_section *ret)
{
	const struct conf_kind *kind = conf_kind_find(in->kind);
	size_t seen[CONF_OPTIONS_MAX] = {0};

	if (kind == NULL) {
		unknown_section(source, in);
		return false;
	}
	if (kind->foreign) {
		conf_report_add(source->report, CONF_WARNING, place_of(source, in->line),
		    "[%s] belonged to the Python program; it is ignored", kind->name);
		return false;
	}
	if (!check_header(source, kind, in))
		return false;
	*ret = (struct conf_section){
	    .kind = kind,
	    .name = in->name,
	    .type = find_type(kind, in),
	    .place = place_of(source, in->line),
	};
	for (size_t i = 0; i < in->option_count; i++)
		take_option(source, ret, &in->options[i], seen);
	return true;
}

/* ---- questions ---- */

const struct conf_entry *
conf_entry_next(
    const struct conf_section *section, const char *name, const struct conf_entry *after)
{
	if (section == NULL)
		return NULL;
	size_t i = after == NULL ? 0 : (size_t)(after - section->entries) + 1;
	for (; i < section->count; i++)
		if (strcmp(section->entries[i].option->name, name) == 0)
			return &section->entries[i];
	return NULL;
}

const struct conf_entry *
conf_entry_find(const struct conf_section *section, const char *name)
{
	return conf_entry_next(section, name, NULL);
}

bool
conf_given(const struct conf_section *section, const char *name)
{
	size_t n;
	const struct conf_option *options = conf_options(&n);

	for (size_t i = 0; section != NULL && i < n; i++)
		if (section->given[i] && strcmp(options[i].name, name) == 0)
			return true;
	return false;
}

size_t
conf_entry_count(const struct conf_section *section, const char *name)
{
	const struct conf_entry *e = NULL;
	size_t n = 0;

	while ((e = conf_entry_next(section, name, e)) != NULL)
		n += e->value[0] != '\0';
	return n;
}

char *
conf_section_text(const struct conf_section *s)
{
	char *text = xstrdup("");

	for (size_t i = 0; s != NULL && i < s->count; i++) {
		const struct conf_entry *e = &s->entries[i];
		char *longer = xasprintf("%s%s=%s\n", text, e->option->name, e->value);

		free_secret(text, strlen(text));
		text = longer;
	}
	return text;
}
