/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jwk.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "b64.h"
#include "base/alloc.h"

enum { MEMBER_MAX = 1024, COORDINATE_MAX = 48, RSA_MIN_BITS = 2048 };

struct jwk {
	int references;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *verifier;    /* made once: preparing costs a tenth of verifying */
	const struct curve *curve; /* NULL: RSA */
	char *thumbprint;
	unsigned char *spki; /* made once: encoding a key costs more than a signature */
	int spki_len;
};

struct curve {
	const char *name;  /* of the JWK */
	const char *group; /* of the library */
	const char *algorithm;
	size_t size;
};

static const struct curve curves[] = {
    {"P-256", "P-256", "ES256", 32},
    {"P-384", "P-384", "ES384", 48},
};

static const char *
member(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL ? s : "";
}

static bool
member_bytes(const json_t *object, const char *name, struct buf *out)
{
	const char *s = member(object, name);

	buf_init(out, MEMBER_MAX);
	return *s != '\0' && b64_decode(s, strlen(s), out);
}

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY *pkey = NULL;

	if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static EVP_PKEY *
ec_key(const struct curve *curve, const struct buf *x, const struct buf *y)
{
	uint8_t point[1 + 2 * COORDINATE_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
	OSSL_PARAM_BLD *build;
	EVP_PKEY *pkey;

	if (x->len != curve->size || y->len != curve->size)
		return NULL;
	memcpy(point + 1, x->data, curve->size);
	memcpy(point + 1 + curve->size, y->data, curve->size);
	build = OSSL_PARAM_BLD_new();
	OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0);
	OSSL_PARAM_BLD_push_octet_string(
	    build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * curve->size);
	pkey = from_params("EC", build);
	OSSL_PARAM_BLD_free(build);
	return pkey;
}

static const struct curve *
curve_of(const json_t *object)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++)
		if (strcmp(member(object, "crv"), curves[i].name) == 0)
			return &curves[i];
	return NULL;
}

static bool
parse_ec(struct jwk *k, const json_t *object, struct err *e)
{
	struct buf x, y;
	bool good;

	k->curve = curve_of(object);
	if (k->curve == NULL)
		return err_set(e, ERR_BAD_REQUEST, "the curve is not P-256 or P-384");
	good = member_bytes(object, "x", &x);
	good = member_bytes(object, "y", &y) && good;
	if (good)
		k->pkey = ec_key(k->curve, &x, &y);
	buf_done(&x);
	buf_done(&y);
	return k->pkey != NULL ||
	    err_set(e, ERR_BAD_REQUEST, "x and y are no point of the curve, in full length");
}

static EVP_PKEY *
rsa_key(const struct buf *n, const struct buf *e)
{
	BIGNUM *modulus = BN_bin2bn((const unsigned char *)n->data, (int)n->len, NULL);
	BIGNUM *exponent = BN_bin2bn((const unsigned char *)e->data, (int)e->len, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey;

	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent);
	pkey = from_params("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(modulus);
	BN_free(exponent);
	return pkey;
}

static bool
parse_rsa(struct jwk *k, const json_t *object, struct err *e)
{
	struct buf n, exponent;
	bool good;

	good = member_bytes(object, "n", &n);
	good = member_bytes(object, "e", &exponent) && good;
	if (good)
		k->pkey = rsa_key(&n, &exponent);
	buf_done(&n);
	buf_done(&exponent);
	if (k->pkey == NULL)
		return err_set(e, ERR_BAD_REQUEST, "n and e are no RSA key");
	return EVP_PKEY_get_bits(k->pkey) >= RSA_MIN_BITS ||
	    err_set(e, ERR_BAD_REQUEST, "an RSA key of less than %d bits", RSA_MIN_BITS);
}

/* RFC 7638 3: the required members in the order of their names, no blanks. */
static char *
thumbprint(const json_t *object, bool ec)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char *text;

	if (ec)
		text = xasprintf("{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
		    member(object, "crv"), member(object, "x"), member(object, "y"));
	else
		text = xasprintf("{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", member(object, "e"),
		    member(object, "n"));
	SHA256((const unsigned char *)text, strlen(text), digest);
	free(text);
	return b64_encode(digest, sizeof(digest));
}

static bool
prepare(struct jwk *k)
{
	k->verifier = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (k->verifier == NULL || EVP_PKEY_verify_init(k->verifier) != 1)
		return false;
	return k->curve != NULL ||
	    (EVP_PKEY_CTX_set_rsa_padding(k->verifier, RSA_PKCS1_PADDING) == 1 &&
		EVP_PKEY_CTX_set_signature_md(k->verifier, EVP_sha256()) == 1);
}

struct jwk *
jwk_parse(const json_t *object, struct err *e)
{
	struct jwk *k = xcalloc(1, sizeof(*k));
	const char *type = member(object, "kty");
	bool ec = strcmp(type, "EC") == 0, good;

	k->references = 1;
	if (json_object_get(object, "d") != NULL)
		good = err_set(e, ERR_BAD_REQUEST, "this is the private key");
	else if (ec)
		good = parse_ec(k, object, e);
	else if (strcmp(type, "RSA") == 0)
		good = parse_rsa(k, object, e);
	else
		good = err_set(e, ERR_BAD_REQUEST, "the key type is not EC or RSA");
	if (good && !prepare(k))
		good = err_set(e, ERR_BAD_REQUEST, "the key cannot verify");
	ERR_clear_error();
	if (!good) {
		jwk_free(k);
		return NULL;
	}
	k->thumbprint = thumbprint(object, ec);
	k->spki_len = i2d_PUBKEY(k->pkey, &k->spki);
	return k;
}

struct jwk *
jwk_ref(struct jwk *k)
{
	k->references++;
	return k;
}

void
jwk_free(struct jwk *k)
{
	if (k == NULL || --k->references > 0)
		return;
	EVP_PKEY_CTX_free(k->verifier);
	EVP_PKEY_free(k->pkey);
	OPENSSL_free(k->spki);
	free(k->thumbprint);
	free(k);
}

const char *
jwk_thumbprint(const struct jwk *k)
{
	return k->thumbprint;
}

bool
jwk_equal(const struct jwk *a, const struct jwk *b)
{
	return strcmp(a->thumbprint, b->thumbprint) == 0;
}

const char *
jwk_algorithm(const struct jwk *k)
{
	return k->curve != NULL ? k->curve->algorithm : "RS256";
}

bool
jwk_spki(const struct jwk *k, struct buf *out)
{
	return k->spki_len > 0 && buf_add(out, k->spki, (size_t)k->spki_len);
}

/* r || s as the library wants it. */
static int
ecdsa_der(const struct curve *curve, const uint8_t *sig, unsigned char **ret_der)
{
	ECDSA_SIG *parsed = ECDSA_SIG_new();
	int size = (int)curve->size, len;

	ECDSA_SIG_set0(parsed, BN_bin2bn(sig, size, NULL), BN_bin2bn(sig + size, size, NULL));
	len = i2d_ECDSA_SIG(parsed, ret_der);
	ECDSA_SIG_free(parsed);
	return len;
}

static bool
verify_digest(
    const struct jwk *k, const unsigned char *digest, size_t n, const uint8_t *sig, size_t sig_len)
{
	unsigned char *der = NULL;
	int len;
	bool good;

	if (k->curve == NULL)
		return EVP_PKEY_verify(k->verifier, sig, sig_len, digest, n) == 1;
	if (sig_len != 2 * k->curve->size)
		return false;
	len = ecdsa_der(k->curve, sig, &der);
	good = len > 0 && EVP_PKEY_verify(k->verifier, der, (size_t)len, digest, n) == 1;
	OPENSSL_free(der);
	return good;
}

bool
jwk_verify(const struct jwk *k, const void *data, size_t n, const void *sig, size_t sig_len)
{
	unsigned char digest[SHA384_DIGEST_LENGTH];
	size_t len = SHA256_DIGEST_LENGTH;
	bool good;

	if (k->curve != NULL && k->curve->size == 48) {
		SHA384(data, n, digest);
		len = SHA384_DIGEST_LENGTH;
	} else {
		SHA256(data, n, digest);
	}
	good = verify_digest(k, digest, len, sig, sig_len);
	ERR_clear_error();
	return good;
}
