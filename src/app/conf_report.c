/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/conf_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { MESSAGE_MAX = 1024, PROBLEMS_MAX = 1000 };

struct conf_report_row {
	struct conf_problem problem;
	size_t file;
	size_t sequence; /* keeps equal places in the order they were found */
};

static const char *const severity_names[] = {
    [CONF_NOTE] = "note",
    [CONF_WARNING] = "warning",
    [CONF_ERROR] = "error",
};

/* What a file says must not reach the operator's terminal as control sequences. */
static void
make_printable(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
}

void
conf_report_add(struct conf_report *r, enum conf_severity severity, struct conf_place place,
    const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	r->failed = r->failed || severity == CONF_ERROR;
	if (r->count == PROBLEMS_MAX) {
		r->dropped++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	make_printable(message);
	r->rows = xreallocarray(r->rows, r->count + 1, sizeof(*r->rows));
	r->rows[r->count] = (struct conf_report_row){
	    .problem = {severity, xstrdup(place.path), place.line, xstrdup(message)},
	    .file = place.file,
	    .sequence = r->count,
	};
	r->count++;
}

static int
compare(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int
by_place(const void *a, const void *b)
{
	const struct conf_report_row *x = a, *y = b;

	if (x->file != y->file)
		return compare(x->file, y->file);
	if (x->problem.line != y->problem.line)
		return x->problem.line < y->problem.line ? -1 : 1;
	return compare(x->sequence, y->sequence);
}

static void
append_dropped(const struct conf_report *r, struct conf *c)
{
	if (r->dropped == 0)
		return;
	const char *path = c->problems[c->problem_count - 1].path;
	c->problems[c->problem_count++] = (struct conf_problem){
	    r->failed ? CONF_ERROR : CONF_WARNING,
	    xstrdup(path),
	    0,
	    xasprintf("%zu more problems are not shown", r->dropped),
	};
}

void
conf_report_finish(struct conf_report *r, struct conf *c)
{
	if (r->count > 0)
		qsort(r->rows, r->count, sizeof(*r->rows), by_place);
	c->problems = xcalloc(r->count + 1, sizeof(*c->problems));
	for (size_t i = 0; i < r->count; i++)
		c->problems[c->problem_count++] = r->rows[i].problem;
	append_dropped(r, c);
	c->failed = r->failed;
	free(r->rows);
	*r = (struct conf_report){0};
}

void
conf_problem_add(struct conf *c, const struct conf_at *at, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	make_printable(message);
	c->problems = xreallocarray(c->problems, c->problem_count + 1, sizeof(*c->problems));
	c->problems[c->problem_count++] =
	    (struct conf_problem){CONF_ERROR, xstrdup(at->path), at->line, xstrdup(message)};
	c->failed = true;
}

void
conf_report_free_problems(struct conf *c)
{
	for (size_t i = 0; i < c->problem_count; i++) {
		free(c->problems[i].path);
		free(c->problems[i].message);
	}
	free(c->problems);
}

char *
conf_problem_text(const struct conf_problem *p)
{
	const char *severity = severity_names[p->severity];

	if (p->line == 0)
		return xasprintf("%s: %s: %s", p->path, severity, p->message);
	return xasprintf("%s:%d: %s: %s", p->path, p->line, severity, p->message);
}

void
conf_print_problems(const struct conf *c, enum conf_severity from)
{
	for (size_t i = 0; i < c->problem_count; i++) {
		char *text;

		if (c->problems[i].severity < from)
			continue;
		text = conf_problem_text(&c->problems[i]);
		fprintf(stderr, "%s\n", text);
		free(text);
	}
}
