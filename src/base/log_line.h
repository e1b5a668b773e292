/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A log line as bytes: bounded, with every control character and everything
 * that is not UTF-8 escaped. For base/log.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

enum { LOG_LINE_MAX = 48 * 1024 };

struct log_line {
	char text[LOG_LINE_MAX]; /* NUL-terminated; the newline at its end counts */
	size_t len;
};

/* "warning", ... */
const char *log_level_name(enum log_level level);
/* message, then peer=... and so on; no time, no level, no newline. */
void log_line_plain(struct log_line *line, const struct log_context *ctx, const char *message);
/* Time (seconds since 1970), level, the plain line, newline. */
void log_line_text(struct log_line *line, int64_t when, enum log_level level,
    const struct log_context *ctx, const char *message);
/* One JSON object and a newline. */
void log_line_json(struct log_line *line, int64_t when, enum log_level level,
    const struct log_context *ctx, const char *message);
/* One JSON object and a newline: time, decision, the members of ctx (which may be NULL), detail,
 * and names (NULL: those of ctx), of which far more fit than in a line of the log. */
void log_line_audit(struct log_line *line, int64_t when, const struct log_context *ctx,
    const char *names, const char *decision, const char *detail);
