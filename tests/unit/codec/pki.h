/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests and certificates of every shape, for tests. All abort on failure. */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

enum pki_twice { PKI_ONCE, PKI_SECOND_VALUE, PKI_SECOND_ATTRIBUTE };

struct pki_request {
	const char *common_name; /* NULL: none */
	const char
	    *san; /* as openssl's configuration writes it: "DNS:a,IP:192.0.2.1"; NULL: none */
	const char *digest; /* NULL: SHA256 */
	EVP_PKEY *key;
	X509_EXTENSIONS *extensions; /* instead of san; freed by pki_csr */
	int extension_nid;           /* the attribute they stand in; 0: the usual one */
	enum pki_twice twice;
};

struct pki_certificate {
	const char *common_name;
	const char *san;
	const char *issuer_name;
	EVP_PKEY *key;        /* the subject's */
	EVP_PKEY *issuer_key; /* that signs */
	long from, until;     /* seconds from now */
	int ca;
};

/* The key in a file of tests/vectors. */
EVP_PKEY *pki_key(const char *file);
char *pki_read(const char *file);
/* PEM texts, to be freed. */
char *pki_csr(const struct pki_request *request);
char *pki_certificate(const struct pki_certificate *certificate);
/* An extension with these bytes as its value. */
X509_EXTENSION *pki_extension(int nid, const void *value, size_t len);
