/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sections of all files as they count, merged by the rules of acmems.conf(5).
 * Private to app/conf*.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/conf_section.h"

struct ini_file;

struct conf_sections {
	struct conf_section *items;
	size_t count;
};

/* What file says, behind what earlier files said. others_read: anyone may read it. file must live
 * as long as the sections. */
void conf_sections_add(struct conf_sections *all, const struct ini_file *file, size_t index,
    bool others_read, struct conf_report *report);
void conf_sections_done(struct conf_sections *all);

/* The section of that kind, or NULL. */
const struct conf_section *conf_sections_one(const struct conf_sections *all, const char *kind);
size_t conf_sections_count(const struct conf_sections *all, const char *kind);
/* The next one of that kind behind after (NULL: the first), or NULL. */
const struct conf_section *conf_sections_next(
    const struct conf_sections *all, const char *kind, const struct conf_section *after);
