/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JWS in flattened JSON serialisation, as RFC 8555 section 6.2 wants it: ES256, ES384 or RS256 by
 * the key's kind. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "codec/key.h"

/* kid NULL: the JWK stands in the protected header (newAccount, revocation by key). nonce NULL:
 * none (the inner JWS of keyChange, RFC 8555 7.3.5). payload NULL: empty payload (POST-as-GET,
 * 6.3). The caller frees the text. NULL with *e on failure. */
char *jws_sign(const struct key *k, const char *kid, const char *nonce, const char *url,
    const char *payload, struct err *e);

/* externalAccountBinding (RFC 8555 7.3.4): HS256 over the account's JWK. hmac_key are raw bytes. */
struct json *jws_external_binding(const struct key *k, const char *eab_kid, const void *hmac_key,
    size_t hmac_key_len, const char *new_account_url, struct err *e);

/* The signature over "protected.payload" (RFC 7515 5.1) as base64url; the caller frees it. NULL
 * with ERR_INTERNAL. */
char *jws_signature(const struct key *k, const char *input, struct err *e);
