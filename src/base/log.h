/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log: the one global of the program. Leveled lines with the context they
 * belong to. The writer escapes control characters, once, so no caller has to
 * trust what it quotes. Secrets are never handed to it.
 *
 * Destinations: stderr, stdout, a file (reopened on demand), syslog, or the
 * systemd journal (base/log_journal.c, if built with libsystemd). Of a pipe or
 * terminal nobody reads, lines are lost and counted (base/log_stream.c): nothing
 * waits for the log.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum log_level {
	LOG_LEVEL_DEBUG = 0,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_AUDIT, /* decisions (base/log_audit.h), which no level leaves out */
};

enum log_destination {
	LOG_TO_STDERR = 0,
	LOG_TO_STDOUT,
	LOG_TO_FILE,
	LOG_TO_SYSLOG,
	LOG_TO_JOURNAL,
};

struct log_conf {
	enum log_level level;
	enum log_destination destination;
	const char *path;  /* LOG_TO_FILE only; copied */
	bool json;         /* one JSON object a line instead of text */
	const char *audit; /* a file for decisions, or NULL; copied */
};

/* What a line is about. Any member may be NULL. Text form: key=value behind the
 * message; JSON form: members of the object. */
struct log_context {
	const char *peer;  /* the client's address */
	const char *order; /* id of the job, e.g. "o17" */
	const char *names; /* names of the CSR, comma separated (callers bound it) */
	const char *block; /* auth block */
	/* Of decisions. */
	const char *key;    /* which HMAC key admitted, e.g. "1 of 2" */
	const char *serial; /* of the certificate */
	const char *rule;   /* that refuses */
};

/* Before the first call: warning and above to stderr as text. Opening a file
 * creates it with mode 0640. On failure the old configuration stays. */
bool log_configure(const struct log_conf *conf, struct err *e);
/* Whether log_configure could open the file of conf; makes none. */
bool log_check(const struct log_conf *conf, struct err *e);
bool log_check_audit(const struct log_conf *conf, struct err *e);
/* Opens log file and audit file anew (after rotation); keeps an old one if that fails. */
bool log_reopen(struct err *e);
/* Flushes and closes; further lines go to stderr. */
void log_close(void);
bool log_enabled(enum log_level level);
bool log_journal_available(void); /* built with libsystemd */

void log_write(enum log_level level, const struct log_context *ctx, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(ctx, ...)   log_write(LOG_LEVEL_DEBUG, (ctx), __VA_ARGS__)
#define log_info(ctx, ...)    log_write(LOG_LEVEL_INFO, (ctx), __VA_ARGS__)
#define log_warning(ctx, ...) log_write(LOG_LEVEL_WARNING, (ctx), __VA_ARGS__)
#define log_error(ctx, ...)   log_write(LOG_LEVEL_ERROR, (ctx), __VA_ARGS__)
