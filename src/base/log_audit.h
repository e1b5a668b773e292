/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decisions: a line in the log, at every level, and one JSON object in a file of
 * its own, if there is one. That file is part of the log's configuration
 * (base/log.h), and like the log it makes nobody wait: lines that cannot be
 * written are lost, and the next one that can be says how many.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"

/* names: all of them; NULL: those of ctx. detail: why, or NULL; for the file alone, since the log
 * has lines of its own for that. */
void log_audit(
    const struct log_context *ctx, const char *names, const char *decision, const char *detail);

/* For base/log.c. path NULL: no file. On failure the old one stays. */
bool log_audit_open(const char *path, struct err *e);
bool log_audit_reopen(struct err *e);
void log_audit_close(void);
