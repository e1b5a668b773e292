/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time, in one place, so that a test can put its own behind these names. */
#pragma once

#include <stdint.h>

int64_t clock_mono_ms(void); /* milliseconds, never jumps; for every deadline */
int64_t clock_wall(void);    /* seconds since 1970, UTC; for dates in certificates and files */
