/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The authority behind the certificates: a root, an intermediate, and leaves from it. A leaf is put
 * together from parts made beforehand and the request's own bytes, and signed once. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "der.h"

enum { ISSUER_SERIAL = 16, ISSUER_KEY_ID = 20 };

struct issuer;

struct leaf_spec {
	struct der spki;
	const char *const *names; /* DNS names and addresses */
	size_t count;
	int64_t start, end;    /* seconds since 1970 */
	const uint8_t *serial; /* ISSUER_SERIAL bytes */
};

struct issuer *issuer_new(void);
void issuer_free(struct issuer *i);
/* Appends the DER of a leaf. */
void issuer_leaf(const struct issuer *i, const struct leaf_spec *spec, struct buf *out);
/* PEM texts. The other intermediate has another key and another root. */
const char *issuer_root(const struct issuer *i);
const char *issuer_intermediate(const struct issuer *i);
const char *issuer_other_intermediate(const struct issuer *i);
/* A key nobody asked for. */
struct der issuer_other_spki(const struct issuer *i);
/* The authority key identifier of its leaves. */
const uint8_t *issuer_key_id(const struct issuer *i);
