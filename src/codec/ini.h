/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The INI dialect of the configuration files: text in, sections and options
 * out. Knows no option names. Rules:
 *  - lines are trimmed; empty lines and those starting with # or ; are comments; no inline
 *    comments, no continuation lines; a UTF-8 byte order mark and CRLF are tolerated;
 *  - [name] or [kind "name"] (quotes optional) opens a section; key = value splits at the first =;
 *  - options before the first section: a warning; an equal header again replaces the earlier
 *    section, with a warning that names both lines;
 *  - any other line, a NUL byte, or a broken header is an error; parsing goes on, so that all
 *    problems are found in one run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ini_option {
	char *key;   /* as written, trimmed */
	char *value; /* may be empty, never NULL */
	int line;
};

struct ini_section {
	char *kind; /* first word of the header, as written */
	char *name; /* second word or quoted string; NULL if there is none */
	int line;
	struct ini_option *options; /* in file order, repeated keys kept */
	size_t option_count;
};

struct ini_file {
	char *path;
	struct ini_section *sections; /* in file order, replaced ones left out */
	size_t section_count;
};

enum ini_severity { INI_WARNING, INI_ERROR };

/* message is one line without the position. */
typedef void ini_report_fn(
    void *arg, enum ini_severity severity, const char *path, int line, const char *message);

/* Never fails as a whole; what is wrong is reported. The caller frees the result. path is copied
 * and only used for reports. */
struct ini_file *ini_parse(
    const char *text, size_t len, const char *path, ini_report_fn *report, void *arg);
void ini_free(struct ini_file *file);

/* The name among candidates closest to word (edit distance, two swapped letters count once, at most
 * a third of its length, at least 1), or NULL. For "did you mean". */
const char *ini_closest(const char *word, const char *const *candidates, size_t count);
