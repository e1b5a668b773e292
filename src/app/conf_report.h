/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is wrong with the configuration, collected: all of it in one run, in the
 * order of files and lines. Messages are one line each; control characters of
 * what they quote are replaced here. Values of secret options are never quoted.
 * Private to app/conf*.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/conf.h"

/* Where something stands. path is borrowed from the command line. */
struct conf_place {
	const char *path;
	size_t file; /* which file of the command line */
	int line;    /* 0: the file as a whole */
};

struct conf_report_row;

struct conf_report {
	struct conf_report_row *rows;
	size_t count;
	size_t dropped; /* beyond the maximum: counted only */
	bool failed;
};

void conf_report_add(struct conf_report *r, enum conf_severity severity, struct conf_place place,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Sorts, and moves everything into c->problems and c->failed. */
void conf_report_finish(struct conf_report *r, struct conf *c);
/* One error more, found when the files are read to the end. */
void conf_problem_add(struct conf *c, const struct conf_at *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void conf_report_free_problems(struct conf *c);

#define conf_note(b, place, ...)  conf_report_add(&(b)->report, CONF_NOTE, (place), __VA_ARGS__)
#define conf_warn(b, place, ...)  conf_report_add(&(b)->report, CONF_WARNING, (place), __VA_ARGS__)
#define conf_error(b, place, ...) conf_report_add(&(b)->report, CONF_ERROR, (place), __VA_ARGS__)
