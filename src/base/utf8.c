/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

static const struct {
	uint32_t mask, lead;
	size_t len;
	uint32_t least; /* for two bytes that leaves out the C1 controls: terminals obey them */
} forms[] = {{0xe0, 0xc0, 2, 0xa0}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};

size_t
utf8_printable(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t c;

	if (*u < 0x80)
		return *u >= 0x20 && *u != 0x7f;
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		if ((*u & forms[f].mask) != forms[f].lead)
			continue;
		c = *u & ~forms[f].mask;
		for (size_t i = 1; i < forms[f].len; i++) {
			if ((u[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (u[i] & 0x3fu);
		}
		/* Line and paragraph separator end a line for some who read. */
		if (c == 0x2028 || c == 0x2029)
			return 0;
		if (c < forms[f].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		return forms[f].len;
	}
	return 0;
}

size_t
utf8_cut(const char *text, size_t max)
{
	size_t n = strnlen(text, max + 1);

	if (n <= max)
		return n;
	n = max;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}
