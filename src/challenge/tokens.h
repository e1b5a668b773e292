/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tokens that are presented now: token -> key authorization, with a list of
 * those who presented it, since two orders may share one authorization and so
 * one token.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "acme/solver.h"

struct loop;
struct token;
struct tokens;

struct tokens *tokens_new(struct loop *loop);
void tokens_free(struct tokens *t); /* nobody is told; NULL is fine */
size_t tokens_count(const struct tokens *t);

/* One presentation more; answer is copied, fetched may be NULL. ERR_INTERNAL if the token stands
 * for another key authorization already. */
bool tokens_add(struct tokens *t, const struct acme_answer *answer, acme_fetched_fn *fetched,
    void *arg, struct err *e);
/* Takes the presentation of arg away; its fetched is not called any more. False if there is none.
 */
bool tokens_remove(struct tokens *t, const char *token, const void *arg);

/* NULL if nobody presents it. The text need not be NUL-terminated. Valid until the next remove. */
const struct token *tokens_find(const struct tokens *t, const char *text, size_t len);
const char *token_key_authorization(const struct token *token);
const char *token_name(const struct token *token); /* what it is presented for */
/* Tells everyone who presented it, after this turn. */
void tokens_fetched(struct tokens *t, const struct token *token);
