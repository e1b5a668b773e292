/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log_audit.h"
#include "base/log_journal.h"
#include "base/log_line.h"
#include "base/log_stream.h"
#include "config.h"

static const char LOG_FILE[] = "log file";

static struct {
	enum log_level level;
	enum log_destination destination;
	bool json;
	char *path;               /* LOG_TO_FILE */
	struct log_stream stream; /* of stderr, stdout or the file */
} state = {.level = LOG_LEVEL_WARNING, .stream = {.fd = STDERR_FILENO}};

static bool
check_file(const char *path, const char *what, struct err *e)
{
	bool there = access(path, F_OK) == 0;
	int fd = log_stream_open(path, what, e);

	if (fd < 0)
		return false;
	close(fd);
	if (!there)
		unlink(path);
	return true;
}

bool
log_check(const struct log_conf *conf, struct err *e)
{
	return conf->destination != LOG_TO_FILE || check_file(conf->path, LOG_FILE, e);
}

bool
log_check_audit(const struct log_conf *conf, struct err *e)
{
	return conf->audit == NULL || check_file(conf->audit, "audit file", e);
}

/* Lets go of what the present destination holds. */
static void
release(void)
{
	log_stream_done(&state.stream);
	free(state.path);
	state.path = NULL;
	if (state.destination == LOG_TO_SYSLOG)
		closelog();
}

static void
open_stream(int file)
{
	if (state.destination == LOG_TO_FILE)
		log_stream_file(&state.stream, file);
	else if (state.destination == LOG_TO_STDERR || state.destination == LOG_TO_STDOUT)
		log_stream_standard(&state.stream,
		    state.destination == LOG_TO_STDERR ? STDERR_FILENO : STDOUT_FILENO);
}

bool
log_configure(const struct log_conf *conf, struct err *e)
{
	char *path = NULL;
	int fd = -1;

	if (conf->destination == LOG_TO_JOURNAL && !log_journal_available())
		return err_set(e, ERR_CONFIG,
		    "this program was built without the systemd journal: "
		    "use stderr, syslog or a file as log destination");
	if (conf->destination == LOG_TO_FILE) {
		fd = log_stream_open(conf->path, LOG_FILE, e);
		if (fd < 0)
			return false;
	}
	if (!log_audit_open(conf->audit, e)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (conf->destination == LOG_TO_FILE)
		path = xstrdup(conf->path);
	release();
	state.level = conf->level;
	state.destination = conf->destination;
	state.json = conf->json;
	state.path = path;
	open_stream(fd);
	if (conf->destination == LOG_TO_SYSLOG)
		openlog("acmems", LOG_PID, LOG_DAEMON);
	return true;
}

bool
log_reopen(struct err *e)
{
	bool audit = log_audit_reopen(e);
	int fd;

	if (state.destination != LOG_TO_FILE)
		return audit;
	fd = log_stream_open(state.path, LOG_FILE, e);
	if (fd < 0)
		return false;
	log_stream_done(&state.stream);
	log_stream_file(&state.stream, fd);
	return audit;
}

void
log_close(void)
{
	release();
	log_audit_close();
	state.destination = LOG_TO_STDERR;
	state.json = false;
	state.stream.fd = STDERR_FILENO;
}

bool
log_enabled(enum log_level level)
{
	return level >= state.level;
}

bool
log_journal_available(void)
{
#ifdef HAVE_LIBSYSTEMD
	return true;
#else
	return false;
#endif
}

static int
priority(enum log_level level)
{
	static const int priorities[] = {
	    [LOG_LEVEL_DEBUG] = LOG_DEBUG,
	    [LOG_LEVEL_INFO] = LOG_INFO,
	    [LOG_LEVEL_WARNING] = LOG_WARNING,
	    [LOG_LEVEL_ERROR] = LOG_ERR,
	    [LOG_LEVEL_AUDIT] = LOG_NOTICE,
	};

	return priorities[level];
}

static bool
write_line(enum log_level level, const struct log_context *ctx, const char *message)
{
	struct log_line line;

	if (state.json)
		log_line_json(&line, clock_wall(), level, ctx, message);
	else
		log_line_text(&line, clock_wall(), level, ctx, message);
	return log_stream_write(&state.stream, line.text, line.len);
}

/* How many are lost is told as soon as someone reads again, or the disk has room. */
static bool
tell_lost(void)
{
	char message[80];

	if (state.stream.lost == 0)
		return true;
	snprintf(message, sizeof(message),
	    "%zu lines of the log are lost: they could not be written", state.stream.lost);
	if (!write_line(LOG_LEVEL_WARNING, NULL, message))
		return false;
	state.stream.lost = 0;
	return true;
}

/* Never waits for whoever reads: the loop would stand still with it. */
static void
write_stream(enum log_level level, const struct log_context *ctx, const char *message)
{
	if (!log_stream_ready(&state.stream) || !tell_lost() || !write_line(level, ctx, message))
		state.stream.lost++;
}

/* syslog and the journal have a time and a level of their own. */
static void
write_service(enum log_level level, const struct log_context *ctx, const char *message)
{
	struct log_line line;

	if (state.json)
		log_line_json(&line, clock_wall(), level, ctx, message);
	else
		log_line_plain(&line, ctx, message);
#ifdef HAVE_LIBSYSTEMD
	if (state.destination == LOG_TO_JOURNAL) {
		log_journal_write(priority(level), ctx, line.text);
		return;
	}
#endif
	syslog(priority(level), "%s", line.text);
}

void
log_write(enum log_level level, const struct log_context *ctx, const char *fmt, ...)
{
	char message[4096];
	int saved = errno;
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	switch (state.destination) {
	case LOG_TO_STDERR:
	case LOG_TO_STDOUT:
	case LOG_TO_FILE:
		write_stream(level, ctx, message);
		break;
	case LOG_TO_SYSLOG:
	case LOG_TO_JOURNAL:
		write_service(level, ctx, message);
		break;
	}
	/* Logging never disturbs the errno its caller is about to report. */
	errno = saved;
}
