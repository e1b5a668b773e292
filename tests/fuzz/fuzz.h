/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the targets share. A target sees its input as bytes without a NUL behind them; it may only
 * end by returning 0, or by abort through must(). */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An invariant of the module under test. */
static inline void
must(int holds)
{
	if (!holds)
		abort();
}

/* The input as C string, cut at a NUL if it holds one. */
static inline char *
as_text(const uint8_t *data, size_t size)
{
	return xstrndup((const char *)data, size);
}
