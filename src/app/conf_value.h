/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values: tables say which option goes where and within which bounds; the
 * default of the option table is parsed by the same function as what a file says.
 * Private to app/conf*.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/conf_build.h"

struct conf_setter;
/* Reports what is wrong and returns false; else writes *out. */
typedef bool conf_set_fn(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out);

struct conf_setter {
	const char *name;
	conf_set_fn *set;
	size_t offset; /* of the member in the object */
	int64_t min;   /* of the number as written */
	int64_t max;
	int64_t unit; /* what one of it is in the member */
};

/* Every option of the table: as the section says (NULL: there is none), else its default; without
 * one the member stays. */
void conf_set(struct conf_build *b, const struct conf_section *s, const char *kind,
    const char *type, const struct conf_setter *table, size_t n, void *object);

conf_set_fn conf_set_bool;   /* bool: yes, true, no, false in any case */
conf_set_fn conf_set_number; /* int64_t: min to max, times unit */
conf_set_fn conf_set_count;  /* size_t: min to max, times unit */
conf_set_fn conf_set_size;   /* size_t: 4k, 1.5M; min and max in bytes */
conf_set_fn conf_set_text;   /* char *: a copy */
conf_set_fn conf_set_name;   /* char *: a DNS name, lower-cased, without trailing dot */

/* Where the option stands; if it is not given, where its section begins. */
struct conf_at conf_at(const struct conf_build *b, const struct conf_section *s, const char *name);

bool conf_parse_bool(const char *text, bool *ret);

/* The values of a list: those of the section, else the defaults of the table. *ret_default (may be
 * NULL) tells which. Empty ones are left out; one beside others is reported. Entries point to
 * memory of the configuration. */
struct conf_entry *conf_list(struct conf_build *b, const struct conf_section *s, const char *kind,
    const char *type, const char *name, size_t *ret_count, bool *ret_default);

/* " did you mean "X"?" or "": text of static storage, for one message. */
const char *conf_did_you_mean(const char *word, const char *const *candidates, size_t count);
