/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "b64.h"

#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/alloc.h"

enum { PEM_LINE_BYTES = 48 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *
b64_encode(const void *p, size_t n)
{
	const uint8_t *in = p;
	char *text = xmalloc((n + 2) / 3 * 4 + 1), *o = text;
	uint32_t bits = 0;
	int have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | in[i];
		for (have += 8; have >= 6; have -= 6)
			*o++ = alphabet[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*o++ = alphabet[bits << (6 - have) & 63];
	*o = '\0';
	return text;
}

/* 64 and more: not of the alphabet. */
static const uint8_t *
values(void)
{
	static uint8_t table[256];

	if (table['B'] != 1) {
		memset(table, 64, sizeof(table));
		for (uint8_t i = 0; i < 64; i++)
			table[(unsigned char)alphabet[i]] = i;
	}
	return table;
}

bool
b64_decode(const char *s, size_t n, struct buf *out)
{
	const uint8_t *table = values();
	uint8_t *bytes = xmalloc(n + 1);
	size_t len = 0;
	uint32_t bits = 0;
	int have = 0;
	bool done = n % 4 != 1;

	for (size_t i = 0; i < n && done; i++) {
		uint8_t v = table[(unsigned char)s[i]];

		done = v < 64;
		bits = bits << 6 | (v & 63U);
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[len++] = (uint8_t)(bits >> have);
		}
	}
	done = done && (bits & ((1U << have) - 1)) == 0 && buf_add(out, bytes, len);
	free_secret(bytes, n + 1);
	return done;
}

void
pem_append(struct buf *out, const char *label, const void *der, size_t n)
{
	const unsigned char *p = der;
	unsigned char line[PEM_LINE_BYTES / 3 * 4 + 2];

	buf_addf(out, "-----BEGIN %s-----\n", label);
	while (n > 0) {
		size_t take = n < PEM_LINE_BYTES ? n : PEM_LINE_BYTES;
		int len = EVP_EncodeBlock(line, p, (int)take);

		line[len] = '\n';
		buf_add(out, line, (size_t)len + 1);
		p += take;
		n -= take;
	}
	buf_addf(out, "-----END %s-----\n", label);
}
