/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/jws.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/b64url.h"
#include "codec/digest.h"
#include "codec/openssl.h"

/* How a key signs: RFC 7518 3.1. */
struct algorithm {
	const char *name;
	const char *digest;
	int half; /* EC: length of r and of s; 0: RSA */
};

static struct algorithm
algorithm_of(const EVP_PKEY *pkey)
{
	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_EC)
		return (struct algorithm){"RS256", "SHA256", 0};
	if (EVP_PKEY_get_bits(pkey) == 256)
		return (struct algorithm){"ES256", "SHA256", 32};
	return (struct algorithm){"ES384", "SHA384", 48};
}

/* OpenSSL's DER signature as r || s (RFC 7518 3.4). Replaces *sig. */
static bool
flatten_ecdsa(uint8_t **sig, size_t *len, int half)
{
	const unsigned char *p = *sig;
	ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &p, (long)*len);
	uint8_t *flat;
	bool done;

	if (parsed == NULL)
		return false;
	flat = xmalloc(2 * (size_t)half);
	done = BN_bn2binpad(ECDSA_SIG_get0_r(parsed), flat, half) == half &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(parsed), flat + half, half) == half;
	ECDSA_SIG_free(parsed);
	free(*sig);
	*sig = flat;
	*len = 2 * (size_t)half;
	return done;
}

char *
jws_signature(const struct key *k, const char *input, struct err *e)
{
	EVP_PKEY *pkey = key_evp(k);
	struct algorithm algorithm = algorithm_of(pkey);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const unsigned char *data = (const unsigned char *)input;
	CLEANUP_FREE uint8_t *sig = NULL;
	char *text = NULL;
	size_t len = 0;

	ERR_clear_error();
	if (ctx == NULL ||
	    EVP_DigestSignInit_ex(ctx, NULL, algorithm.digest, NULL, NULL, pkey, NULL) != 1 ||
	    EVP_DigestSign(ctx, NULL, &len, data, strlen(input)) != 1)
		goto out;
	sig = xmalloc(len);
	if (EVP_DigestSign(ctx, sig, &len, data, strlen(input)) != 1)
		goto out;
	if (algorithm.half > 0 && !flatten_ecdsa(&sig, &len, algorithm.half))
		goto out;
	text = b64url_encode(sig, len);
out:
	if (text == NULL)
		openssl_error(e, ERR_INTERNAL, "cannot sign with the account key");
	EVP_MD_CTX_free(ctx);
	return text;
}

/* The text of object as base64url; frees object. */
static char *
encode_object(struct json *object)
{
	CLEANUP_FREE char *text = json_text(object, 0);

	json_free(object);
	return b64url_encode(text, strlen(text));
}

/* RFC 7515 7.2.2 */
static struct json *
flattened(const char *protected, const char *payload, const char *signature)
{
	struct json *object = json_new_object();

	json_set_string(object, "protected", protected);
	json_set_string(object, "payload", payload);
	json_set_string(object, "signature", signature);
	return object;
}

static struct json *
protected_header(
    const struct key *k, const char *alg, const char *kid, const char *nonce, const char *url)
{
	struct json *header = json_new_object();

	json_set_string(header, "alg", alg);
	if (kid != NULL)
		json_set_string(header, "kid", kid);
	else
		json_set(header, "jwk", json_copy(key_jwk(k)));
	if (nonce != NULL)
		json_set_string(header, "nonce", nonce);
	json_set_string(header, "url", url);
	return header;
}

char *
jws_sign(const struct key *k, const char *kid, const char *nonce, const char *url,
    const char *payload, struct err *e)
{
	struct algorithm algorithm = algorithm_of(key_evp(k));
	CLEANUP_FREE char *protected =
	    encode_object(protected_header(k, algorithm.name, kid, nonce, url));
	CLEANUP_FREE char *body = b64url_encode(payload, payload != NULL ? strlen(payload) : 0);
	CLEANUP_FREE char *input = xasprintf("%s.%s", protected, body);
	CLEANUP_FREE char *signature = jws_signature(k, input, e);
	struct json *object;
	char *text;

	if (signature == NULL)
		return NULL;
	object = flattened(protected, body, signature);
	text = json_text(object, 0);
	json_free(object);
	return text;
}

struct json *
jws_external_binding(const struct key *k, const char *eab_kid, const void *hmac_key,
    size_t hmac_key_len, const char *new_account_url, struct err *e)
{
	CLEANUP_FREE char *protected =
	    encode_object(protected_header(k, "HS256", eab_kid, NULL, new_account_url));
	CLEANUP_FREE char *payload = encode_object(json_copy(key_jwk(k)));
	CLEANUP_FREE char *input = xasprintf("%s.%s", protected, payload);
	CLEANUP_FREE char *signature = NULL;
	uint8_t mac[DIGEST_MAX];
	size_t len;

	len = digest_hmac(DIGEST_SHA256, hmac_key, hmac_key_len, input, strlen(input), mac);
	if (len == 0) {
		err_set(e, ERR_INTERNAL, "HMAC-SHA256 is not available");
		return NULL;
	}
	signature = b64url_encode(mac, len);
	return flattened(protected, payload, signature);
}
