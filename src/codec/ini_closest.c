/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "Did you mean". Part of codec/ini.h. */
#include <string.h>

#include "codec/ini.h"
#include "codec/text.h"

enum { WORD_MAX = 63 };

static size_t
min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* A hyphen and an underscore are the same slip as a wrong case: none. */
static char
fold(char c)
{
	return c == '_' ? '-' : text_lower(c);
}

/* Levenshtein's distance of two words of at most WORD_MAX characters, one row at a time. */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[WORD_MAX + 1], diagonal, above;

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			above = row[j];
			row[j] = min(min(above, row[j - 1]) + 1,
			    diagonal + (fold(a[i - 1]) != fold(b[j - 1])));
			diagonal = above;
		}
	}
	return row[b_len];
}

const char *
ini_closest(const char *word, const char *const *candidates, size_t count)
{
	size_t len = strlen(word), best, d;
	const char *closest = NULL;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	best = (len / 3 > 1 ? len / 3 : 1) + 1;
	for (size_t i = 0; i < count; i++) {
		if (strlen(candidates[i]) > WORD_MAX)
			continue;
		d = distance(word, len, candidates[i], strlen(candidates[i]));
		if (d < best) {
			best = d;
			closest = candidates[i];
		}
	}
	return closest;
}
