/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory of failures (acmems(8)): what failed is not ordered again for
 * 1, 2, 4 ... 60 minutes. The keys are the caller's: an identifier set and
 * profile where the names failed, a body where the CSR did.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct failures;

struct failures *failures_new(size_t max);
void failures_free(struct failures *f); /* NULL is fine */

/* One failure more: the pause doubles, and is at least e->retry_after. That of a rate limit with a
 * time is just that. */
void failures_add(struct failures *f, const char *key, const struct err *e);
/* Whether key must wait; then *e is the failure as it was, with retry_after as it is now. */
bool failures_check(struct failures *f, const char *key, struct err *e);
void failures_clear(struct failures *f, const char *key); /* it succeeded */
void failures_forget(struct failures *f);                 /* all of it */
size_t failures_count(const struct failures *f);
