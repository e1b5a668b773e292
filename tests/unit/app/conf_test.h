/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configurations from strings, and questions to what came of them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/conf.h"

/* Parts that make a configuration whole; put behind the part under test, whose lines then count
 * from 1. */
#define ACCOUNT "\n[account]\ndir = /nowhere\n"
#define AUTH    "\n[auth \"some\"]\nip = 192.0.2.1\ndomain = *.example.org\n"

/* For cmocka: a directory of its own for each group. */
int conf_test_setup(void **state);
int conf_test_teardown(void **state);

/* Writes text to a file of that name in the directory (mode 0600); returns its path, which stays
 * valid until the group ends. */
const char *conf_test_file(const char *name, const char *text);
const char *conf_test_file_of(const char *name, const void *bytes, size_t len, unsigned mode);
/* The path of a file of the source tree. */
const char *conf_test_source(const char *name);

struct conf *conf_test_load(const char *text);
struct conf *conf_test_load2(const char *first, const char *second);

size_t conf_test_count(const struct conf *c, enum conf_severity severity);
/* A problem of that severity in that line (-1: any) with that text in it. */
const struct conf_problem *conf_test_find(
    const struct conf *c, enum conf_severity severity, int line, const char *part);
/* Prints all problems: for the log of a test that fails. */
void conf_test_print(const struct conf *c);

#define assert_problem(c, severity, line, part)                                                    \
	do {                                                                                       \
		if (conf_test_find((c), (severity), (line), (part)) == NULL) {                     \
			conf_test_print(c);                                                        \
			fail_msg("expected: %d: %s", (line), (part));                              \
		}                                                                                  \
	} while (0)

#define assert_no_problem(c, severity, part)                                                       \
	do {                                                                                       \
		if (conf_test_find((c), (severity), -1, (part)) != NULL) {                         \
			conf_test_print(c);                                                        \
			fail_msg("not expected: %s", (part));                                      \
		}                                                                                  \
	} while (0)

/* That many errors, warnings and notes. */
void assert_counts(const struct conf *c, size_t errors, size_t warnings, size_t notes);

/* Loads text and expects one problem of that severity and line, and no other but notes. */
void conf_test_one(const char *text, enum conf_severity severity, int line, const char *part);
/* Loads text and expects neither error nor warning. The caller frees the result. */
struct conf *conf_test_fine(const char *text);
