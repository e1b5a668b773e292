/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The signature of a certification request. The usual kind, P-256, has a way of its own: the
 * library takes longer to decode such a key from its DER than to verify with it. */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "csr.h"

enum { POINT = 65 };

/* What stands before the point in the key's DER (RFC 5480 2). */
static const uint8_t p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
    0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
/* ecdsa-with-SHA256, within its SEQUENCE. */
static const uint8_t ecdsa_sha256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

/* The parts of a request: what is signed, and by what. */
struct parts {
	struct der info, algorithm, signature;
};

static bool
take_apart(struct der der, struct parts *ret)
{
	struct der outer;

	if (!der_take(&der, DER_SEQUENCE, &outer) || !der_next(&outer, NULL, NULL, &ret->info) ||
	    !der_take(&outer, DER_SEQUENCE, &ret->algorithm) ||
	    !der_take(&outer, DER_BIT_STRING, &ret->signature) || ret->signature.len < 1)
		return false;
	/* The first octet counts unused bits. */
	ret->signature.p++;
	ret->signature.len--;
	return true;
}

static EVP_PKEY *
p256_key(struct der spki)
{
	char group[] = "P-256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
	    OSSL_PARAM_construct_octet_string(
		OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)(spki.p + sizeof(p256)), POINT),
	    OSSL_PARAM_construct_end()};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static bool
verify_p256(const struct csr *c, const struct parts *parts)
{
	EVP_PKEY *key = p256_key(c->spki);
	EVP_PKEY_CTX *ctx = key != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
	unsigned char digest[SHA256_DIGEST_LENGTH];
	bool good;

	SHA256(parts->info.p, parts->info.len, digest);
	good = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
	    EVP_PKEY_verify(
		ctx, parts->signature.p, parts->signature.len, digest, sizeof(digest)) == 1;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	return good;
}

/* RFC 8555 7.4 lets the CA refuse weak ones; SHA-1 and broken signatures are what clients get
 * wrong. */
static bool
verify_other(struct der der, struct err *e)
{
	const unsigned char *p = der.p;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.len);
	EVP_PKEY *pkey = req != NULL ? X509_REQ_get0_pubkey(req) : NULL;
	bool good = pkey != NULL;

	if (!good)
		err_set(e, ERR_BAD_CSR, "the key of the request cannot be used");
	else if (X509_REQ_get_signature_nid(req) == NID_sha1WithRSAEncryption ||
	    X509_REQ_get_signature_nid(req) == NID_ecdsa_with_SHA1)
		good = err_set(e, ERR_BAD_CSR, "the request is signed with SHA-1");
	else if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA && EVP_PKEY_get_bits(pkey) < 2048)
		good = err_set(e, ERR_BAD_CSR, "an RSA key of less than 2048 bits");
	else if (X509_REQ_verify(req, pkey) != 1)
		good = err_set(e, ERR_BAD_CSR, "the signature of the request is wrong");
	X509_REQ_free(req);
	return good;
}

bool
csr_verify(const struct csr *c, struct der der, struct err *e)
{
	struct parts parts;
	bool good;

	if (!take_apart(der, &parts))
		return err_set(e, ERR_BAD_CSR, "this is no certification request");
	if (c->spki.len == sizeof(p256) + POINT && memcmp(c->spki.p, p256, sizeof(p256)) == 0 &&
	    der_equal(parts.algorithm, ecdsa_sha256, sizeof(ecdsa_sha256)))
		good = verify_p256(c, &parts) ||
		    err_set(e, ERR_BAD_CSR, "the signature of the request is wrong");
	else
		good = verify_other(der, e);
	ERR_clear_error();
	return good;
}
