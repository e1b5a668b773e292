/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines to a descriptor whose reader may be slow or asleep: a pipe, a terminal,
 * a socket. Nothing here waits for him. Lines that cannot be written are lost and
 * counted; a line half written is finished before the next. For base/log.c and base/log_audit.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/log_line.h"

struct log_stream {
	int fd;
	bool own;         /* close it */
	bool never_waits; /* a regular file: nobody need ask whether there is room */
	size_t lost;      /* lines, since that was last told */
	size_t left;      /* of a line half written */
	char rest[LOG_LINE_MAX];
};

/* A file to append to, made with mode 0640; -1 with ERR_CONFIG, which begins with what. A FIFO
 * nobody reads is an error, not a wait. */
int log_stream_open(const char *path, const char *what, struct err *e);
/* fd stays as it is for others who share it (O_NONBLOCK belongs to the open file, not to the
 * descriptor): where the system allows it, the same pipe or terminal is opened once more. */
void log_stream_standard(struct log_stream *s, int fd);
void log_stream_file(struct log_stream *s, int fd); /* takes fd over */
void log_stream_done(struct log_stream *s);

/* Whether there is room to begin a line. */
bool log_stream_ready(struct log_stream *s);
/* A whole line. False: it is lost; the caller counts. */
bool log_stream_write(struct log_stream *s, const char *text, size_t len);
