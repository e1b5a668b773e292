/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every file over libcrypto needs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct evp_pkey_st;
struct X509_pubkey_st;

/* err_set, with what OpenSSL's error queue of this thread says behind it; empties the queue.
 * Always returns false. ERR_clear_error belongs before the calls this is to explain. */
bool openssl_error(struct err *e, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* SHA-256 of the DER SubjectPublicKeyInfo. Equal keys give equal digests, in whatever of the
 * permitted forms they arrived. May change the form pkey is written in, not its value. */
bool openssl_spki_sha256(struct evp_pkey_st *pkey, uint8_t out[32]);
/* The same for a key that came in a request or certificate: writing it anew costs 70 us, which
 * is saved where it came in the usual form. */
bool openssl_pubkey_sha256(
    const struct X509_pubkey_st *encoded, struct evp_pkey_st *pkey, uint8_t out[32]);
