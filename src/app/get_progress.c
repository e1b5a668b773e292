/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/get_progress.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log_line.h"
#include "codec/identifier.h"

static const char *const says[] = {
    [ACME_STEP_NONE] = "waiting",
    [ACME_STEP_PRESENT] = "the answer is made available",
    [ACME_STEP_TELL] = "the CA is looking",
    [ACME_STEP_VALID] = "valid",
    [ACME_STEP_FAILED] = "failed",
};
static_assert(sizeof(says) / sizeof(says[0]) == ACME_STEP_COUNT, "a text for each step");

struct get_progress {
	struct identifiers names;
	enum acme_step *steps; /* one for each name */
	bool in_place;
	bool drawn; /* the block is the last thing on the terminal */
};

/* The block and the line below it, on which the cursor waits. */
static bool
fits(const struct identifiers *names)
{
	struct winsize size;

	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
	    names->count < size.ws_row && size.ws_col > 60;
}

struct get_progress *
get_progress_new(const struct identifiers *names)
{
	struct get_progress *p = xcalloc(1, sizeof(*p));

	identifiers_copy(&p->names, names);
	p->steps = xcalloc(names->count + 1, sizeof(*p->steps));
	p->in_place = fits(names);
	return p;
}

void
get_progress_free(struct get_progress *p)
{
	if (p == NULL)
		return;
	identifiers_done(&p->names);
	free(p->steps);
	free(p);
}

/* A CA's words may be part of it. */
static void
print(FILE *to, const char *before, const char *text)
{
	struct log_line *line = xcalloc(1, sizeof(*line));

	log_line_plain(line, NULL, text);
	fprintf(to, "%s%s\n", before, line->text);
	fflush(to);
	free(line);
}

void
get_progress_say(struct get_progress *p, const char *fmt, ...)
{
	va_list args;
	char *text;

	p->drawn = false;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	print(stdout, "", text);
	free(text);
}

void
get_progress_error(const char *text)
{
	print(stderr, "acme-get: ", text);
}

/* A name longer than a line would wrap, and the block no longer be as high as it has names. */
static void
draw(struct get_progress *p)
{
	if (p->drawn)
		printf("\033[%zuA", p->names.count);
	for (size_t i = 0; i < p->names.count; i++)
		printf("\r\033[K  %-30.30s %s\n", p->names.items[i].value, says[p->steps[i]]);
	p->drawn = true;
	fflush(stdout);
}

/* What the CA names is among those asked for; nothing else is shown. */
static bool
note(struct get_progress *p, const char *name, enum acme_step step)
{
	for (size_t i = 0; i < p->names.count; i++) {
		if (strcmp(p->names.items[i].value, name) == 0) {
			p->steps[i] = step;
			return true;
		}
	}
	return false;
}

void
get_progress_step(struct get_progress *p, const char *name, enum acme_step step)
{
	if (!note(p, name, step))
		return;
	if (p->in_place)
		draw(p);
	else
		get_progress_say(p, "%s: %s", name, says[step]);
}

void
get_progress_begin(struct get_progress *p)
{
	memset(p->steps, 0, p->names.count * sizeof(*p->steps));
}
