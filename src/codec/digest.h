/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Digests and HMACs over libcrypto, by the names operators and clients write. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum digest_kind {
	DIGEST_NONE = 0,
	DIGEST_MD5,
	DIGEST_SHA1,
	DIGEST_SHA224,
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	DIGEST_SHA3_224,
	DIGEST_SHA3_256,
	DIGEST_SHA3_384,
	DIGEST_SHA3_512,
	DIGEST_BLAKE2B,
	DIGEST_BLAKE2S,
	DIGEST_KIND_COUNT
};

enum { DIGEST_MAX = 64, DIGEST_KEY_MAX = 144 /* the largest block */, SHA384_HEX = 97 };

/* Any case; sha2-256 (what openssl dgst 3 prints) is sha256, likewise 224, 384, 512; sha3-256 is
 * sha3_256; blake2b512 and blake2s256 too. DIGEST_NONE if unknown. */
enum digest_kind digest_kind_parse(const char *name, size_t len);
const char *digest_kind_name(enum digest_kind kind);
bool digest_kind_weak(enum digest_kind kind); /* md5, sha1 */
size_t digest_size(enum digest_kind kind);

/* HMACs of one kind, prepared: for those that are computed with every request. */
struct digest_mac;
struct digest_mac *digest_mac_new(enum digest_kind kind); /* NULL if the provider lacks it */
void digest_mac_free(struct digest_mac *m);               /* NULL is fine */
/* Returns the size, or 0. key and data may be NULL if they are empty. */
size_t digest_mac(struct digest_mac *m, const void *key, size_t key_len, const void *data,
    size_t len, uint8_t out[DIGEST_MAX]);
/* What HMAC makes of a key, without its padding: two keys give the same HMACs if these are the
 * same. Returns the size, at most DIGEST_KEY_MAX. */
size_t digest_mac_key(
    enum digest_kind kind, const void *key, size_t len, uint8_t out[DIGEST_KEY_MAX]);

/* Once; out has DIGEST_MAX bytes; returns the size, 0 if the provider lacks it. */
size_t digest_hmac(enum digest_kind kind, const void *key, size_t key_len, const void *data,
    size_t len, uint8_t out[DIGEST_MAX]);
/* Lower-case hex and a NUL: 2 * len + 1 bytes of out. */
void digest_hex(const uint8_t *data, size_t len, char *out);
/* Lower-case hex of SHA-384 and a NUL: the cache's key. */
void digest_sha384_hex(const void *data, size_t len, char out[SHA384_HEX]);
void digest_sha256(const void *data, size_t len, uint8_t out[32]);
bool digest_equal(const void *a, const void *b, size_t len); /* constant time */
