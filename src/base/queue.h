/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intrusive lists: those of libc's <sys/queue.h>, plus the safe loop glibc leaves out. */
#pragma once

#include <sys/queue.h>

#ifndef TAILQ_FOREACH_SAFE
#define TAILQ_FOREACH_SAFE(var, head, field, tvar)                                                 \
	for ((var) = TAILQ_FIRST((head)); (var) && ((tvar) = TAILQ_NEXT((var), field), 1);         \
	     (var) = (tvar))
#endif
