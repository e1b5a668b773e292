/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What acme-get tells while it works, on standard output. On a terminal the
 * authorizations are a block of lines that changes in place; elsewhere, and
 * where the block would not fit, each step is a line of its own.
 */
#pragma once

#include "acme/order.h"

struct get_progress;
struct identifiers;

/* names is copied. */
struct get_progress *get_progress_new(const struct identifiers *names);
void get_progress_free(struct get_progress *p); /* NULL is fine */

/* A line; the newline is added. What a terminal would obey is escaped. */
void get_progress_say(struct get_progress *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The authorization of name has come to that step. */
void get_progress_step(struct get_progress *p, const char *name, enum acme_step step);
/* The order is begun, or begun again: all of them are at their beginning. */
void get_progress_begin(struct get_progress *p);
/* "acme-get: TEXT" on standard error, escaped in the same way. */
void get_progress_error(const char *text);
