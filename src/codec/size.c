/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/size.h"

#include <stdint.h>
#include <string.h>

#include "codec/text.h"

static const struct {
	const char *unit;
	unsigned shift;
} units[] = {
    {"", 0},
    {"b", 0},
    {"k", 10},
    {"kb", 10},
    {"kib", 10},
    {"m", 20},
    {"mb", 20},
    {"mib", 20},
};

/* The unit's bits, or -1. */
static int
shift_of(const char *unit, size_t len)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text_equal_nocase(unit, len, units[i].unit))
			return (int)units[i].shift;
	return -1;
}

static size_t
count_digits(const char *p)
{
	size_t n = 0;

	while (text_is_digit(p[n]))
		n++;
	return n;
}

/* 0.NNN of a unit, in bytes, rounded down. More digits than matter are only checked. */
static uint64_t
fraction(const char *digits, size_t len, int shift)
{
	uint64_t value = 0, scale = 1;

	for (size_t i = 0; i < len && i < 9; i++) {
		value = value * 10 + (uint64_t)(digits[i] - '0');
		scale *= 10;
	}
	return (value << shift) / scale;
}

bool
size_parse(const char *text, size_t *ret)
{
	const char *whole = text, *part = "";
	size_t whole_len, part_len = 0, len = strlen(text);
	uint64_t value = 0;
	int shift;

	text_trim(&text, &len);
	whole = text;
	whole_len = count_digits(text);
	text += whole_len;
	if (*text == '.') {
		part = text + 1;
		part_len = count_digits(part);
		text = part + part_len;
		if (part_len == 0)
			return false;
	}
	len -= (size_t)(text - whole);
	text_trim(&text, &len);
	shift = shift_of(text, len);
	/* 2^40 bytes are more than any size here means, and far from an overflow. */
	if (shift < 0 || !text_parse_uint(whole, whole_len, UINT64_C(1) << 40 >> shift, &value))
		return false;
	*ret = (size_t)((value << shift) + fraction(part, part_len, shift));
	return true;
}
