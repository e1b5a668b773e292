/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Turns the loop until a condition holds: tests wait for what happens, never for time to pass. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "ev/loop.h"
#include "ev/timer.h"

enum { PUMP_MAX_MS = 60000, PUMP_TICK_MS = 2 };

static inline void
pump_tick(void *arg)
{
}

/* One turn that waits for an event, but no longer than a tick: the other side of a socket may be
 * one the loop does not know. */
static inline void
pump_once(struct loop *loop)
{
	struct timer *tick = timer_new(loop, pump_tick, NULL);

	timer_start(tick, PUMP_TICK_MS);
	loop_turn(loop, true);
	timer_free(tick);
}

#define PUMP_UNTIL(loop, condition)                                                                \
	do {                                                                                       \
		int64_t pump_end = clock_mono_ms() + PUMP_MAX_MS;                                  \
		while (!(condition)) {                                                             \
			if (clock_mono_ms() > pump_end)                                            \
				fail_msg("never came: %s", #condition);                            \
			pump_once(loop);                                                           \
		}                                                                                  \
	} while (0)

/* Everything that is on its way inside the process arrives: enough turns for both ends. */
static inline void
pump_quiet(struct loop *loop)
{
	for (int i = 0; i < 20; i++)
		pump_once(loop);
}
