/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "Did you mean". Part of codec/ini.h. */
#include <stdbool.h>
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

static bool
swapped(const char *a, const char *b)
{
	return fold(a[0]) == fold(b[1]) && fold(a[1]) == fold(b[0]);
}

/* Letters left out, added, taken for others or swapped with their neighbours (the optimal string
 * alignment distance), of two words of at most WORD_MAX characters. */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= a_len; i++) {
		for (size_t j = 0; j <= b_len; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = min(min(d[i - 1][j], d[i][j - 1]) + 1,
			    d[i - 1][j - 1] + (fold(a[i - 1]) != fold(b[j - 1])));
			if (i > 1 && j > 1 && swapped(a + i - 2, b + j - 2))
				d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[a_len][b_len];
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
