/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/alloc.h"
#include "codec/text.h"

static const struct {
	const char *name;
	const char *other; /* what else it is called, or NULL */
	const char *openssl;
	size_t size;
} kinds[] = {
    [DIGEST_NONE] = {"", NULL, NULL, 0},
    [DIGEST_MD5] = {"md5", NULL, "MD5", 16},
    [DIGEST_SHA1] = {"sha1", NULL, "SHA1", 20},
    [DIGEST_SHA224] = {"sha224", "sha2-224", "SHA2-224", 28},
    [DIGEST_SHA256] = {"sha256", "sha2-256", "SHA2-256", 32},
    [DIGEST_SHA384] = {"sha384", "sha2-384", "SHA2-384", 48},
    [DIGEST_SHA512] = {"sha512", "sha2-512", "SHA2-512", 64},
    [DIGEST_SHA3_224] = {"sha3_224", "sha3-224", "SHA3-224", 28},
    [DIGEST_SHA3_256] = {"sha3_256", "sha3-256", "SHA3-256", 32},
    [DIGEST_SHA3_384] = {"sha3_384", "sha3-384", "SHA3-384", 48},
    [DIGEST_SHA3_512] = {"sha3_512", "sha3-512", "SHA3-512", 64},
    [DIGEST_BLAKE2B] = {"blake2b", "blake2b512", "BLAKE2B-512", 64},
    [DIGEST_BLAKE2S] = {"blake2s", "blake2s256", "BLAKE2S-256", 32},
};
static_assert(sizeof(kinds) / sizeof(kinds[0]) == DIGEST_KIND_COUNT, "a row for every kind");

enum digest_kind
digest_kind_parse(const char *name, size_t len)
{
	for (int i = DIGEST_NONE + 1; i < DIGEST_KIND_COUNT; i++)
		if (text_equal_nocase(name, len, kinds[i].name) ||
		    (kinds[i].other != NULL && text_equal_nocase(name, len, kinds[i].other)))
			return (enum digest_kind)i;
	return DIGEST_NONE;
}

const char *
digest_kind_name(enum digest_kind kind)
{
	return kinds[kind].name;
}

bool
digest_kind_weak(enum digest_kind kind)
{
	return kind == DIGEST_MD5 || kind == DIGEST_SHA1;
}

size_t
digest_size(enum digest_kind kind)
{
	return kinds[kind].size;
}

struct digest_mac {
	EVP_MAC_CTX *ctx;
};

struct digest_mac *
digest_mac_new(enum digest_kind kind)
{
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)kinds[kind].openssl, 0),
	    OSSL_PARAM_construct_end(),
	};
	EVP_MAC *hmac = kind == DIGEST_NONE ? NULL : EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
	struct digest_mac *m = NULL;

	EVP_MAC_free(hmac);
	if (ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) == 1) {
		m = xcalloc(1, sizeof(*m));
		m->ctx = ctx;
	} else {
		EVP_MAC_CTX_free(ctx);
	}
	ERR_clear_error();
	return m;
}

void
digest_mac_free(struct digest_mac *m)
{
	if (m == NULL)
		return;
	EVP_MAC_CTX_free(m->ctx);
	free(m);
}

size_t
digest_mac(struct digest_mac *m, const void *key, size_t key_len, const void *data, size_t len,
    uint8_t out[DIGEST_MAX])
{
	size_t size = 0;

	/* Without a key it would be the last one's, but not in every OpenSSL 3. */
	if (EVP_MAC_init(m->ctx, key != NULL ? key : "", key_len, NULL) != 1 ||
	    EVP_MAC_update(m->ctx, data, len) != 1 ||
	    EVP_MAC_final(m->ctx, out, &size, DIGEST_MAX) != 1) {
		ERR_clear_error();
		return 0;
	}
	return size;
}

size_t
digest_mac_key(enum digest_kind kind, const void *key, size_t len, uint8_t out[DIGEST_KEY_MAX])
{
	EVP_MD *md = EVP_MD_fetch(NULL, kinds[kind].openssl, NULL);
	size_t block = md == NULL ? 0 : (size_t)EVP_MD_get_block_size(md);
	unsigned n = 0;

	if (len > block || len > DIGEST_KEY_MAX) {
		if (md == NULL || EVP_Digest(key, len, out, &n, md, NULL) != 1)
			n = 0;
		len = n;
	} else if (len > 0) {
		memcpy(out, key, len);
	}
	EVP_MD_free(md);
	ERR_clear_error();
	while (len > 0 && out[len - 1] == 0)
		len--;
	return len;
}

size_t
digest_hmac(enum digest_kind kind, const void *key, size_t key_len, const void *data, size_t len,
    uint8_t out[DIGEST_MAX])
{
	size_t size = 0;

	if (kind == DIGEST_NONE)
		return 0;
	ERR_clear_error();
	/* An empty key or text is fine, but must not be NULL. */
	if (EVP_Q_mac(NULL, "HMAC", NULL, kinds[kind].openssl, NULL, key != NULL ? key : "",
		key_len, data != NULL ? data : (const unsigned char *)"", len, out, DIGEST_MAX,
		&size) == NULL) {
		ERR_clear_error();
		return 0;
	}
	return size;
}

/* SHA-2 is in every provider: without it nothing here could be trusted to work. */
static void
sha2(const EVP_MD *md, const void *data, size_t len, uint8_t *out)
{
	if (EVP_Digest(data, len, out, NULL, md, NULL) != 1)
		abort();
}

void
digest_hex(const uint8_t *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 0xf];
	}
	out[2 * len] = '\0';
}

void
digest_sha384_hex(const void *data, size_t len, char out[SHA384_HEX])
{
	uint8_t hash[48];

	sha2(EVP_sha384(), data, len, hash);
	digest_hex(hash, sizeof(hash), out);
}

void
digest_sha256(const void *data, size_t len, uint8_t out[32])
{
	sha2(EVP_sha256(), data, len, out);
}

bool
digest_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
