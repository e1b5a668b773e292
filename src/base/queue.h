/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intrusive lists: those of libc's <sys/queue.h>, plus the safe loop glibc leaves out. */
#pragma once

#include <sys/queue.h>

#ifdef __clang_analyzer__
/* It cannot follow a list through the elements' own pointers, and would take what comes after a
 * removal for the element that was freed. */
void *queue_any(const void *element);
#undef TAILQ_FIRST
#define TAILQ_FIRST(head) ((__typeof__((head)->tqh_first))queue_any((head)->tqh_first))
#undef TAILQ_FOREACH
#define TAILQ_FOREACH(var, head, field)                                                            \
	for ((var) = TAILQ_FIRST((head)); (var); (var) = TAILQ_NEXT((var), field))
#undef TAILQ_LAST
#define TAILQ_LAST(head, name) ((__typeof__((head)->tqh_first))queue_any((head)->tqh_last))
#endif

#ifndef TAILQ_FOREACH_SAFE
#define TAILQ_FOREACH_SAFE(var, head, field, tvar)                                                 \
	for ((var) = TAILQ_FIRST((head)); (var) && ((tvar) = TAILQ_NEXT((var), field), 1);         \
	     (var) = (tvar))
#endif
