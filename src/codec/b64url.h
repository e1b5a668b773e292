/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base64url without padding (RFC 4648 section 5, as RFC 7515 section 2 uses it). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NUL-terminated text; the caller frees it. */
char *b64url_encode(const void *data, size_t len);
/* Strict: alphabet only, no padding, no white space, unused bits zero. *ret_data is the caller's
 * to free (one NUL behind it). False if text is not base64url. */
bool b64url_decode(const char *text, size_t len, uint8_t **ret_data, size_t *ret_len);
