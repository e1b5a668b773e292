/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The little about UTF-8 that bounded text of strangers needs. */
#pragma once

#include <stddef.h>

/* The length in bytes of the printable UTF-8 character at p (NUL-terminated), or 0 if there is
 * none: end, control characters (C1 too), overlong forms, surrogates, stray bytes. */
size_t utf8_printable(const char *p);
/* The length of text, or if that is more than max, the most whole characters within max bytes. */
size_t utf8_cut(const char *text, size_t max);
