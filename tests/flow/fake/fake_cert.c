/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_cert.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "base/clock.h"

static char *
bio_text(BIO *bio)
{
	char *data;
	long n = BIO_get_mem_data(bio, &data);
	char *text = xstrndup(data, (size_t)n);

	BIO_free(bio);
	return text;
}

static bool
looks_like_ip(const char *name)
{
	return strspn(name, "0123456789.") == strlen(name) || strchr(name, ':') != NULL;
}

/* "DNS:a,IP:b" */
static char *
san_text(const char *names)
{
	char *list = xstrdup(names);
	char *out = xcalloc(1, 5 * strlen(names) + 8);
	char *save = NULL;

	for (char *name = strtok_r(list, ",", &save); name != NULL;
	     name = strtok_r(NULL, ",", &save)) {
		if (out[0] != '\0')
			strcat(out, ",");
		strcat(out, looks_like_ip(name) ? "IP:" : "DNS:");
		strcat(out, name);
	}
	free(list);
	return out;
}

static X509_EXTENSION *
san_extension(const char *names)
{
	char *text = san_text(names);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);

	assert(extension != NULL);
	free(text);
	return extension;
}

static void
add_names(X509_REQ *req, const char *names, unsigned flags)
{
	X509_NAME *subject = X509_REQ_get_subject_name(req);
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	char *first = xstrndup(names, strcspn(names, ","));

	if (flags & FAKE_CSR_CN_ONLY) {
		X509_NAME_add_entry_by_txt(
		    subject, "CN", MBSTRING_UTF8, (unsigned char *)first, -1, -1, 0);
	} else {
		extensions = sk_X509_EXTENSION_new_null();
		sk_X509_EXTENSION_push(extensions, san_extension(names));
		X509_REQ_add_extensions(req, extensions);
		sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	}
	free(first);
}

char *
fake_csr(const char *names, unsigned flags)
{
	EVP_PKEY *key = flags & FAKE_CSR_RSA ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());

	add_names(req, names, flags);
	X509_REQ_set_pubkey(req, key);
	assert(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	PEM_write_bio_X509_REQ(bio, req);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	return bio_text(bio);
}

/* ---- the CA's side ---- */

static EVP_PKEY *ca_key;
static X509 *ca_cert;

static void
set_validity(X509 *cert, int days)
{
	ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(clock_wall() - 3600));
	ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(clock_wall() + (int64_t)days * 86400));
}

static void
set_name(X509_NAME *name, const char *cn)
{
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
}

static void
ca_release(void)
{
	X509_free(ca_cert);
	EVP_PKEY_free(ca_key);
}

static void
ca_make(void)
{
	if (ca_cert != NULL)
		return;
	ca_key = EVP_EC_gen("P-256");
	ca_cert = X509_new();
	X509_set_version(ca_cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(ca_cert), 1);
	set_name(X509_get_subject_name(ca_cert), "Fake CA");
	set_name(X509_get_issuer_name(ca_cert), "Fake CA");
	set_validity(ca_cert, 3650);
	X509_add1_ext_i2d(ca_cert, NID_basic_constraints, &(BASIC_CONSTRAINTS){.ca = 1}, 1, 0);
	X509_set_pubkey(ca_cert, ca_key);
	assert(X509_sign(ca_cert, ca_key, EVP_sha256()) > 0);
	atexit(ca_release);
}

/* As Let's Encrypt does: a name that stands only in the common name becomes a SAN. */
static void
copy_names(X509 *leaf, X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(req);
	int at = X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1);
	X509_EXTENSION *made;
	char cn[256];

	if (at >= 0) {
		X509_add_ext(leaf, X509v3_get_ext(extensions, at), -1);
	} else {
		X509_NAME_get_text_by_NID(
		    X509_REQ_get_subject_name(req), NID_commonName, cn, sizeof(cn));
		made = san_extension(cn);
		X509_add_ext(leaf, made, -1);
		X509_EXTENSION_free(made);
	}
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static X509 *
make_leaf(X509_REQ *req, int days, unsigned flags)
{
	static long serial = 1000;
	X509 *leaf = X509_new();
	EVP_PKEY *other = flags & FAKE_CHAIN_OTHER_KEY ? EVP_EC_gen("P-256") : NULL;

	X509_set_version(leaf, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(leaf), ++serial);
	X509_set_issuer_name(leaf, X509_get_subject_name(ca_cert));
	set_validity(leaf, days);
	copy_names(leaf, req);
	X509_set_pubkey(leaf, other != NULL ? other : X509_REQ_get0_pubkey(req));
	assert(X509_sign(leaf, ca_key, EVP_sha256()) > 0);
	EVP_PKEY_free(other);
	return leaf;
}

static char *
with_crlf(char *text)
{
	char *out = xcalloc(2, strlen(text) + 1);
	size_t n = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\n')
			out[n++] = '\r';
		out[n++] = *p;
	}
	free(text);
	return out;
}

char *
fake_chain(const void *csr_der, size_t len, int days, unsigned flags)
{
	const unsigned char *p = csr_der;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)len);
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *leaf;
	char *text;

	assert(req != NULL);
	ca_make();
	leaf = make_leaf(req, days, flags);
	PEM_write_bio_X509(bio, leaf);
	PEM_write_bio_X509(bio, ca_cert);
	X509_free(leaf);
	X509_REQ_free(req);
	text = bio_text(bio);
	return flags & FAKE_CHAIN_CRLF ? with_crlf(text) : text;
}
