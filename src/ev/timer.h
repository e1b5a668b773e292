/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One-shot timers. A source file of its own, so that a test can put its own clock behind it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct timer;

struct timer *timer_new(struct loop *loop, void (*fn)(void *arg), void *arg);
/* Fires once, not before ms milliseconds (at least 0, at most ten years) are over by clock_mono_ms,
 * nor before this call returned; starting again moves it. */
void timer_start(struct timer *t, int64_t ms);
void timer_stop(struct timer *t);
bool timer_running(const struct timer *t);
void timer_free(struct timer *t); /* NULL is fine; may be called from its own callback */
