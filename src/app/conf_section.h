/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One section of one file against the option table: known options, older
 * spellings replaced, of single-valued ones the last. Strings are borrowed from
 * the parsed file. Private to app/conf*.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/conf_options.h"
#include "app/conf_report.h"

struct ini_section;

struct conf_entry {
	const struct conf_option *option;
	const char *value;
	const char *key; /* as written: the option's name or its older spelling; NULL: a default */
	struct conf_place place;
};

struct conf_section {
	const struct conf_kind *kind;
	const char *name; /* NULL where the kind has none */
	int type;         /* index into kind->types; -1: none or unknown */
	struct conf_place place;
	struct conf_entry
	    *entries; /* owned; of single-valued options one each, lists in file order */
	size_t count;
	bool given[CONF_OPTIONS_MAX]; /* by conf_option_index: also where the value was refused */
};

/* A file while its sections are read. */
struct conf_source {
	struct conf_report *report;
	const char *path;
	size_t file;
	bool others_read; /* anyone may read the file */
	bool warned;      /* of a secret in it: once a file */
};

/* False: it is no section of ours, or its header is wrong; reported. */
bool conf_section_read(
    struct conf_source *source, const struct ini_section *in, struct conf_section *ret);

/* The option's entry, or NULL; of a list the first behind after. section may be NULL. */
const struct conf_entry *conf_entry_find(const struct conf_section *section, const char *name);
const struct conf_entry *conf_entry_next(
    const struct conf_section *section, const char *name, const struct conf_entry *after);
/* Whether the option stands there at all, maybe without the value it needs (which was reported). */
bool conf_given(const struct conf_section *section, const char *name);
/* Kind, type and all entries: sections of equal text build equal structs, but for files they name.
 * The caller frees it; secrets are in it. s may be NULL. */
char *conf_section_text(const struct conf_section *s);
/* How often the option is given with a value. */
size_t conf_entry_count(const struct conf_section *section, const char *name);
