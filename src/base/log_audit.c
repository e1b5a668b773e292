/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log_audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log_line.h"
#include "base/log_stream.h"

static struct {
	char *path; /* NULL: there is no file */
	struct log_stream stream;
} state = {.stream = {.fd = -1}};

/* ---- the file ---- */

bool
log_audit_open(const char *path, struct err *e)
{
	int fd = path != NULL ? log_stream_open(path, "audit file", e) : -1;

	if (path != NULL && fd < 0)
		return false;
	log_audit_close();
	if (path == NULL)
		return true;
	state.path = xstrdup(path);
	log_stream_file(&state.stream, fd);
	return true;
}

bool
log_audit_reopen(struct err *e)
{
	int fd;

	if (state.path == NULL)
		return true;
	fd = log_stream_open(state.path, "audit file", e);
	if (fd < 0)
		return false;
	log_stream_done(&state.stream);
	log_stream_file(&state.stream, fd);
	return true;
}

void
log_audit_close(void)
{
	log_stream_done(&state.stream);
	free(state.path);
	state.path = NULL;
}

/* ---- lines ---- */

static bool
write_line(
    const struct log_context *ctx, const char *names, const char *decision, const char *detail)
{
	struct log_line line;

	log_line_audit(&line, clock_wall(), ctx, names, decision, detail);
	return log_stream_write(&state.stream, line.text, line.len);
}

static bool
tell_lost(void)
{
	char detail[80];

	if (state.stream.lost == 0)
		return true;
	snprintf(detail, sizeof(detail), "%zu lines could not be written", state.stream.lost);
	if (!write_line(NULL, NULL, "lost", detail))
		return false;
	state.stream.lost = 0;
	return true;
}

static void
write_file(
    const struct log_context *ctx, const char *names, const char *decision, const char *detail)
{
	bool first = state.stream.lost == 0;

	if (log_stream_ready(&state.stream) && tell_lost() &&
	    write_line(ctx, names, decision, detail))
		return;
	state.stream.lost++;
	if (first)
		log_error(NULL, "audit file %s cannot be written: lines are lost", state.path);
}

void
log_audit(
    const struct log_context *ctx, const char *names, const char *decision, const char *detail)
{
	log_write(LOG_LEVEL_AUDIT, ctx, "%s", decision);
	if (state.path != NULL)
		write_file(ctx, names, decision, detail);
}
