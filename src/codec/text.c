/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/text.h"

#include <string.h>

#include "base/utf8.h"

char
text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
text_is_alnum(char c)
{
	c = text_lower(c);
	return (c >= 'a' && c <= 'z') || text_is_digit(c);
}

bool
text_all_digits(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!text_is_digit(p[i]))
			return false;
	return len > 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void
text_trim(const char **p, size_t *len)
{
	while (*len > 0 && is_blank(**p)) {
		(*p)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*p)[*len - 1]))
		(*len)--;
}

bool
text_equal_nocase(const char *p, size_t len, const char *word)
{
	if (strlen(word) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text_lower(p[i]) != text_lower(word[i]))
			return false;
	return true;
}

bool
text_contains(const char *p, size_t len, const char *word)
{
	return memmem(p, len, word, strlen(word)) != NULL;
}

bool
text_parse_uint(const char *p, size_t len, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!text_all_digits(p, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(p[i] - '0'), &value))
			return false;
	}
	if (value > max)
		return false;
	*ret = value;
	return true;
}

const char *
text_quote(const void *p, size_t len, char out[TEXT_QUOTE_MAX])
{
	const char *text = p;
	size_t n = len < TEXT_QUOTE_MAX - 4 ? len : TEXT_QUOTE_MAX - 4;

	for (size_t i = 0; i < n; i++)
		out[i] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
	strcpy(out + n, n < len ? "..." : "");
	return out;
}

void
text_copy(char *out, size_t size, const char *src)
{
	size_t n = utf8_cut(src, size - 1);

	memcpy(out, src, n);
	out[n] = '\0';
}
