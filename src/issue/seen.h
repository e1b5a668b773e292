/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What bodies parsed before asked for, by their digest, so that a cached answer
 * parses nothing with OpenSSL. Only bodies someone was admitted with are
 * remembered, and nothing of the verdict. Bounded by the names in it; those not
 * asked for longest go first.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codec/csr.h"
#include "codec/identifier.h"

struct seen;

struct seen_csr {
	struct identifiers names;
	uint8_t spki_sha256[32];
};

struct seen *seen_new(size_t max_names);
void seen_free(struct seen *s); /* NULL is fine */
/* key: SHA-384 hex of the body. NULL if unknown; valid until the next call. */
const struct seen_csr *seen_get(struct seen *s, const char *key);
/* Copies. What is there already is left alone. */
void seen_put(struct seen *s, const char *key, const struct seen_csr *csr);
size_t seen_names(const struct seen *s); /* names in it now */
