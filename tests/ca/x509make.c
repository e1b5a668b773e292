/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509make.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"

static void
must(bool good)
{
	if (good)
		return;
	ERR_print_errors_fp(stderr);
	abort();
}

EVP_PKEY *
x509_new_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	must(key != NULL);
	return key;
}

static void
extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static void
number(X509 *cert)
{
	BIGNUM *serial = BN_new();

	must(serial != NULL && BN_rand(serial, 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
	    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL);
	BN_free(serial);
}

X509 *
x509_make(const struct x509_spec *spec)
{
	X509 *cert = X509_new(), *issuer = spec->issuer != NULL ? spec->issuer : cert;
	X509_NAME *name = X509_get_subject_name(cert);

	must(X509_set_version(cert, X509_VERSION_3) == 1);
	number(cert);
	must(X509_NAME_add_entry_by_txt(
		 name, "CN", MBSTRING_UTF8, (const unsigned char *)spec->name, -1, -1, 0) == 1);
	must(X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1);
	must(X509_gmtime_adj(X509_getm_notBefore(cert), spec->start) != NULL);
	must(X509_gmtime_adj(X509_getm_notAfter(cert), spec->end) != NULL);
	must(X509_set_pubkey(cert, spec->key) == 1);
	extend(cert, issuer, NID_subject_key_identifier, "hash");
	if (spec->issuer != NULL)
		extend(cert, issuer, NID_authority_key_identifier, "keyid:always");
	if (spec->authority) {
		extend(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
		extend(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	} else {
		extend(cert, issuer, NID_basic_constraints, "critical,CA:FALSE");
		extend(cert, issuer, NID_key_usage, "critical,digitalSignature");
		extend(cert, issuer, NID_ext_key_usage, "serverAuth");
	}
	if (spec->san != NULL)
		extend(cert, issuer, NID_subject_alt_name, spec->san);
	must(
	    X509_sign(cert, spec->issuer != NULL ? spec->issuer_key : spec->key, EVP_sha256()) > 0);
	return cert;
}

char *
x509_pem(X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	must(bio != NULL && PEM_write_bio_X509(bio, cert) == 1);
	len = BIO_get_mem_data(bio, &data);
	text = xstrndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}
