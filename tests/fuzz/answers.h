/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server under test has sent on one connection: replies, one after the other, each well
 * formed, the last one perhaps cut short. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct answer {
	int status;
	const char *head; /* the header lines; not NUL-terminated */
	size_t head_len;
};

/* Aborts if text is not that. Calls fn (NULL is fine) for each final reply; returns their number.
 */
size_t answers_check(
    const char *text, size_t len, void (*fn)(void *arg, const struct answer *a), void *arg);
/* The number in that header, or -1 if there is none. */
long answer_number(const struct answer *a, const char *name);
/* Whether it says that the connection ends with it. */
bool answer_closes(const struct answer *a);
