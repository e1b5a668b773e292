/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What acme-register says: progress on standard output, what is wrong on standard error. What
 * others wrote, the CA above all, is escaped. */
#pragma once

#include "base/err.h"

struct ca;
struct json;

/* "TEXT ... ", and its end, "done" or "failed"; without one begun, nothing. */
void say_step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_done(void);
void say_failed(void);
/* A line of its own; one that is begun ends in "failed" first. */
void say_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* On standard error, with the program's name. */
void say_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The account as the CA describes it (may be NULL: it does not), and what else is known of it. */
void say_account(const struct ca *ca, const struct json *account);
