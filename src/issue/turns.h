/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Jobs for the same identifiers (and profile) on one account take turns from
 * newOrder until their order has ended: a CA may give one account the same order
 * for the same identifiers, and the second would finalize it with another key.
 */
#pragma once

#include <stddef.h>

struct loop;
struct op;
struct turn;
struct turns;

struct turns *turns_new(struct loop *loop);
void turns_free(struct turns *t); /* nobody may wait or hold any more; NULL is fine */

/* It is the caller's turn until turn_release(turn). */
typedef void turn_fn(void *arg, struct turn *turn);
/* First come, first served; alone on key it comes after this turn of the loop. */
void turns_wait(struct turns *t, const char *key, turn_fn *fn, void *arg, struct op **slot);
void turn_release(struct turn *turn);     /* NULL is fine */
size_t turns_keys(const struct turns *t); /* keys someone waits for or holds */
