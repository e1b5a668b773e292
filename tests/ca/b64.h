/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base64url without padding (RFC 4648 5, as RFC 7515 2 wants it), and PEM. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Free() the text. */
char *b64_encode(const void *p, size_t n);
/* Appends the bytes. False: padding, another alphabet, or bits left over. */
bool b64_decode(const char *s, size_t n, struct buf *out);
/* Appends a block as RFC 7468 has it, lines of 64 characters. */
void pem_append(struct buf *out, const char *label, const void *der, size_t n);
