/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/b64url.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = b64url_encode(data, size);
	CLEANUP_FREE uint8_t *back = NULL, *decoded = NULL;
	size_t back_len, decoded_len;

	must(b64url_decode(text, strlen(text), &back, &back_len));
	must(back_len == size && (size == 0 || memcmp(back, data, size) == 0));
	/* What is accepted has just one spelling. */
	if (b64url_decode((const char *)data, size, &decoded, &decoded_len)) {
		CLEANUP_FREE char *again = b64url_encode(decoded, decoded_len);

		must(strlen(again) == size && memcmp(again, data, size) == 0);
	}
	return 0;
}
