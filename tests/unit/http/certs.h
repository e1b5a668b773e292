/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small CA, made anew for each run: no key is kept anywhere. */
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

struct cert {
	EVP_PKEY *key;
	X509 *x509;
};

static inline void
cert_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(ext);
	X509_add_ext(x509, ext, -1);
	X509_EXTENSION_free(ext);
}

/* A certificate for san ("DNS:x,IP:y"; NULL: a CA), signed by issuer (NULL: by itself). expires:
 * days from now. */
static inline struct cert
cert_make(const char *name, const char *san, const struct cert *issuer, int expires)
{
	static long serial;
	struct cert c = {EVP_EC_gen("P-256"), X509_new()};
	X509_NAME *subject = X509_get_subject_name(c.x509);

	X509_set_version(c.x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x509), ++serial);
	X509_time_adj_ex(X509_getm_notBefore(c.x509), -30, 0, NULL);
	X509_time_adj_ex(X509_getm_notAfter(c.x509), expires, 0, NULL);
	X509_NAME_add_entry_by_txt(
	    subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(
	    c.x509, issuer == NULL ? subject : X509_get_subject_name(issuer->x509));
	X509_set_pubkey(c.x509, c.key);
	if (san != NULL)
		cert_extension(c.x509, NID_subject_alt_name, san);
	else
		cert_extension(c.x509, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(c.x509, issuer == NULL ? c.key : issuer->key, EVP_sha256()) > 0);
	return c;
}

static inline void
cert_done(struct cert *c)
{
	EVP_PKEY_free(c->key);
	X509_free(c->x509);
}

static inline void
cert_write(const struct cert *c, const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	PEM_write_X509(f, c->x509);
	fclose(f);
}
