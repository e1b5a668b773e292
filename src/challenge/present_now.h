/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Presenting where the answer is there at once: the operation that tells so
 * after this turn. For the kinds that answer challenges themselves.
 */
#pragma once

#include "acme/solver.h"
#include "challenge/challenge.h"

/* Takes away what is presented under token for arg; fine if nothing is. */
typedef void present_now_undo_fn(struct challenge *c, const char *token, void *arg);

/* e is what presenting said, ERR_NONE for success; copied, as is token. done runs once the turn is
 * over, unless the slot is cancelled before: then undo runs if it was presented. */
void present_now(struct challenge *c, const char *token, const struct err *e,
    present_now_undo_fn *undo, acme_presented_fn *done, void *arg, struct op **slot);
