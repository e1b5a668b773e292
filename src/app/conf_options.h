/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions to the table of sections and options (conf_options in conf.h).
 * Private to app/conf*.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/conf.h"

/* What a section of the same name in a later file does. */
enum conf_again {
	CONF_MERGES,   /* option by option */
	CONF_REPLACES, /* the earlier one is gone */
	CONF_ADDS,     /* it is one more */
};

struct conf_kind {
	const char *name;
	bool named;   /* [kind "name"] */
	bool foreign; /* belonged to the Python program */
	bool strict;  /* an unknown option or an empty value is an error */
	enum conf_again again;
	const char *const *types; /* values of type =, or NULL */
	const char *const *type_aliases;
	size_t type_count;
};

enum { CONF_KINDS_MAX = 16, CONF_OPTIONS_MAX = 96 };

extern const char *const conf_storage_types[STORE_TYPE_COUNT];
extern const char *const conf_verification_types[CHALLENGE_TYPE_COUNT];

/* NULL: no such section. */
const struct conf_kind *conf_kind_find(const char *name);
/* The section's name closest to what was written, or NULL. */
const char *conf_kind_closest(const char *name);

/* Index into kind->types, or -1. */
int conf_type_parse(const struct conf_kind *kind, const char *value);

/* The row of section and key (or its older spelling) for this type; type NULL: of any type. NULL:
 * no such option. */
const struct conf_option *conf_option_find(const char *section, const char *type, const char *key);
const char *conf_option_closest(const char *section, const char *type, const char *key);
size_t conf_option_index(const struct conf_option *option);
