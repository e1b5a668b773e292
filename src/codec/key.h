/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private keys: the account's, loaded once and kept (decoding one costs 350 us),
 * and those made by us.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/json.h"

enum key_type { KEY_EC256, KEY_EC384, KEY_RSA2048, KEY_RSA3072, KEY_RSA4096, KEY_TYPE_COUNT };

struct key; /* private key with its public JWK; opaque */

bool key_type_parse(const char *name, enum key_type *ret); /* "ec256" ...; any case */
const char *key_type_name(enum key_type type);

struct key *key_generate(enum key_type type, struct err *e);
/* PKCS#8, PKCS#1 or SEC1 PEM, unencrypted; RSA of 2048 bits or more, P-256 or P-384.
 * NULL with ERR_CONFIG. */
struct key *key_from_pem(const char *pem, size_t len, struct err *e);
void key_free(struct key *k);
/* PKCS#8 PEM; the caller frees it with free_secret. */
char *key_to_pem(const struct key *k);
/* RFC 7638: base64url of SHA-256 of the canonical JWK. Valid as long as the key. */
const char *key_thumbprint(const struct key *k);
/* Public JWK (RFC 7517; RFC 7518 6.2.1.2: EC coordinates at full length). Valid as long as the key.
 */
const struct json *key_jwk(const struct key *k);
/* SHA-256 of the DER SubjectPublicKeyInfo: to compare with a CSR's key. */
const uint8_t *key_spki_sha256(const struct key *k);
/* Token "." thumbprint (RFC 8555 8.1); the caller frees it. */
char *key_authorization(const struct key *k, const char *token);
/* The EVP_PKEY inside, for rooms that have libcrypto; borrowed. */
struct evp_pkey_st *key_evp(const struct key *k);
