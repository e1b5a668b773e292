/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wrap.h"

#include <openssl/evp.h>

#include "base/alloc.h"
#include "base/buf.h"

char *
wrap_der(const char *label, const uint8_t *data, size_t size, size_t *ret_len)
{
	unsigned char line[80];
	struct buf text;

	if (size == 0 || data[0] != 0x30) {
		*ret_len = size;
		return xmemdup(data, size);
	}
	buf_init(&text, SIZE_MAX);
	buf_addf(&text, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < size; i += 48) {
		EVP_EncodeBlock(line, data + i, (int)(size - i < 48 ? size - i : 48));
		buf_addf(&text, "%s\n", line);
	}
	buf_addf(&text, "-----END %s-----\n", label);
	return buf_take(&text, ret_len);
}
