/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes the place of base/clock.c, ev/timer.c and base/random.c: time passes only
 * when a scenario says so, timers fire in order of their time, and jitter is
 * what the scenario chose (0 at first).
 *
 * The loop itself is the real one, so tasks and disposals run as in the daemon.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

void fake_clock_reset(void); /* to the same moment in 2026; jitter 0 */
/* Runs what is due now, that is, until nothing more happens without time passing. */
void fake_clock_settle(struct loop *loop);
/* ms pass: every timer due on the way fires at its time, the loop turns in between. */
void fake_clock_advance(struct loop *loop, int64_t ms);
/* The same, but ends as soon as *done is true; returns *done. */
bool fake_clock_until(struct loop *loop, const bool *done, int64_t ms);
/* The wall clock alone jumps. */
void fake_clock_jump(int64_t seconds);
/* ms pass in which the loop does not turn: timers are late. */
void fake_clock_stall(int64_t ms);
size_t fake_timers_running(void);
size_t fake_timers_alive(void); /* made and not freed */
/* random_below(n) returns this modulo n. */
void fake_random_set(uint32_t value);
