/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include "base/alloc.h"
#include "floor.h"
#include "kit.h"

X509_REQ *
floor_csr(const char *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);

	BIO_free(bio);
	if (req == NULL || X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) != 1)
		kit_die("not a request");
	return req;
}

void
floor_leaf(const char *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	if (leaf == NULL || X509_get0_pubkey(leaf) == NULL)
		kit_die("not a chain");
	X509_free(leaf);
}

X509 *
floor_certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)"floor", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	if (X509_sign(cert, key, EVP_sha256()) <= 0)
		kit_die("no certificate");
	return cert;
}

/* Base64url without padding; returns the end. */
static char *
encode(char *out, const unsigned char *data, size_t len)
{
	int n = EVP_EncodeBlock((unsigned char *)out, data, (int)len);

	while (n > 0 && out[n - 1] == '=')
		n--;
	for (int i = 0; i < n; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	out[n] = '\0';
	return out + n;
}

/* ES256: r and s, 32 bytes each. */
static void
sign(EVP_PKEY *key, const char *text, size_t len, unsigned char out[64])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char der[128];
	const unsigned char *at = der;
	size_t n = sizeof(der);

	if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, der, &n, (const unsigned char *)text, len) != 1)
		kit_die("no signature");
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)n);
	BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32);
	BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

char *
floor_jws(EVP_PKEY *key, const char *url, const unsigned char *payload, size_t len)
{
	char head[512], *input = xmalloc(1024 + 2 * len), *body = NULL;
	unsigned char raw[64];
	char signature[90];
	int n = snprintf(head, sizeof(head),
	    "{\"alg\":\"ES256\",\"kid\":\"https://127.0.0.1/account/1\",\"nonce\":\"%032d\","
	    "\"url\":\"%s\"}",
	    1, url);
	char *dot = encode(input, (unsigned char *)head, (size_t)n);

	*dot = '.';
	char *end = encode(dot + 1, payload, len);
	sign(key, input, (size_t)(end - input), raw);
	encode(signature, raw, sizeof(raw));
	*dot = '\0';
	if (asprintf(&body, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", input,
		dot + 1, signature) < 0)
		kit_die("no memory");
	free(input);
	return body;
}
