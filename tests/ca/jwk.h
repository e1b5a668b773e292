/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Public keys as JSON Web Keys (RFC 7517, RFC 7518 6) and their thumbprints (RFC 7638). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

struct jwk;

/* EC P-256 and P-384, RSA of 2048 bits or more. Coordinates must have their full length. */
struct jwk *jwk_parse(const json_t *object, struct err *e);
struct jwk *jwk_ref(struct jwk *k);
/* Takes one reference off; NULL is fine. */
void jwk_free(struct jwk *k);
const char *jwk_thumbprint(const struct jwk *k);
bool jwk_equal(const struct jwk *a, const struct jwk *b);
/* The one algorithm this key signs with: ES256, ES384, RS256. */
const char *jwk_algorithm(const struct jwk *k);
/* Appends the SubjectPublicKeyInfo. */
bool jwk_spki(const struct jwk *k, struct buf *out);
/* Whether sig, in the form of RFC 7518 3, is this key's over the n bytes. */
bool jwk_verify(const struct jwk *k, const void *data, size_t n, const void *sig, size_t sig_len);
