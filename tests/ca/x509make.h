/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates of authorities and servers, made once at start through the library. */
#pragma once

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

struct x509_spec {
	const char *name; /* common name */
	const char *san;  /* in the library's configuration syntax; NULL: none */
	bool authority;
	long start, end; /* seconds from now */
	EVP_PKEY *key;
	X509 *issuer; /* NULL: itself */
	EVP_PKEY *issuer_key;
};

EVP_PKEY *x509_new_key(void); /* P-256 */
/* What cannot happen ends the program. */
X509 *x509_make(const struct x509_spec *spec);
/* The PEM text; free() it. */
char *x509_pem(X509 *cert);
