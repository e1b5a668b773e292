/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Raw DER as PEM: a fuzzer changes DER with more success than base64. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* If data looks like DER, a PEM block of that label around it; otherwise a copy of data. The
 * length into *ret_len; the caller frees it. */
char *wrap_der(const char *label, const uint8_t *data, size_t size, size_t *ret_len);
