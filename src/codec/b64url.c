/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/b64url.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *
b64url_encode(const void *data, size_t len)
{
	const uint8_t *in = data;
	char *text = xreallocarray(NULL, len / 3 + 1, 4 + 1);
	uint32_t bits = 0;
	size_t n = 0;
	int held = 0;

	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | in[i]) & 0xffff;
		for (held += 8; held >= 6; held -= 6)
			text[n++] = alphabet[bits >> (held - 6) & 0x3f];
	}
	if (held > 0)
		text[n++] = alphabet[bits << (6 - held) & 0x3f];
	text[n] = '\0';
	return text;
}

/* 0 to 63, or -1. */
static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool
b64url_decode(const char *text, size_t len, uint8_t **ret_data, size_t *ret_len)
{
	uint8_t *data = xmalloc(len / 4 * 3 + 4);
	uint32_t bits = 0;
	size_t n = 0;
	int held = 0, value;

	for (size_t i = 0; i < len; i++) {
		value = value_of(text[i]);
		if (value < 0)
			goto fail;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		data[n++] = (uint8_t)(bits >> held);
	}
	/* One character alone is no byte; what is left of the last one must be zero. */
	if (held >= 6 || (bits & ((1u << held) - 1)) != 0)
		goto fail;
	data[n] = 0;
	*ret_data = data;
	*ret_len = n;
	return true;

fail:
	free(data);
	return false;
}
