/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all challenges of the process have in common: the tokens and TXT records
 * that are presented now, and the list of those that exist.
 *
 * Every http01 listener answers every token and every dns01-server listener every
 * record, whichever block presented it: so a challenge that was presented before
 * a reload is answered after it, on a listener that has changed hands.
 */
#pragma once

#include <stddef.h>

struct challenge_stats;
struct challenges;
struct http_server_stats;
struct loop;
struct responder_records;
struct tokens;

/* warn hears what belongs to no request, with the name of the verification block; may be NULL. */
struct challenges *challenges_new(
    struct loop *loop, void (*warn)(void *arg, const char *block, const char *text), void *arg);
/* Ends those that are still presented. Nobody may hold one any more. NULL is fine. */
void challenges_free(struct challenges *all);

/* What was counted, by enum challenge_type, and at the listeners of http01. */
const struct challenge_stats *challenges_stats(const struct challenges *all);
const struct http_server_stats *challenges_http_stats(const struct challenges *all);

/* How many are presented and not yet withdrawn to the end. */
size_t challenges_active(const struct challenges *all);
/* idle runs once, as soon as there are none (after this turn if it is so already): shutdown waits
 * for it. */
void challenges_on_idle(struct challenges *all, void (*idle)(void *arg), void *arg);
/* A listener was given back: whoever else has it serves on it again. */
void challenges_serve_idle(struct challenges *all);

/* For the kinds. */
struct tokens *challenges_tokens(struct challenges *all);
struct responder_records *challenges_records(struct challenges *all);
struct loop *challenges_loop(const struct challenges *all);
struct http_server_stats *challenges_count_http(struct challenges *all);
