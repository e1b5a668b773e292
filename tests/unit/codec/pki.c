/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"

static void
must(int good)
{
	if (good)
		return;
	ERR_print_errors_fp(stderr);
	abort();
}

char *
pki_read(const char *file)
{
	CLEANUP_FREE char *path = xasprintf("%s/%s", getenv("VECTORS"), file);
	struct buf text;

	buf_init(&text, 100000);
	must(file_read(path, &text, NULL));
	return buf_take(&text, NULL);
}

EVP_PKEY *
pki_key(const char *file)
{
	CLEANUP_FREE char *pem = pki_read(file);
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	must(key != NULL);
	BIO_free(bio);
	return key;
}

static char *
take_text(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = xstrndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}

static X509_EXTENSION *
san_extension(const char *san)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, san);
	must(extension != NULL);
	return extension;
}

X509_EXTENSION *
pki_extension(int nid, const void *value, size_t len)
{
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	must(ASN1_OCTET_STRING_set(octets, value, (int)len));
	extension = X509_EXTENSION_create_by_NID(NULL, nid, 0, octets);
	must(extension != NULL);
	ASN1_OCTET_STRING_free(octets);
	return extension;
}

static void
add_name(X509_NAME *name, const char *common_name)
{
	must(X509_NAME_add_entry_by_NID(
	    name, NID_organizationName, MBSTRING_UTF8, (const unsigned char *)"Test", -1, -1, 0));
	/* X509_NAME_add_entry_by_NID would refuse what the tests of refusals need. */
	if (common_name != NULL) {
		X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_NID(NULL, NID_commonName,
		    V_ASN1_UTF8STRING, (const unsigned char *)common_name, -1);

		must(entry != NULL && X509_NAME_add_entry(name, entry, -1, 0));
		X509_NAME_ENTRY_free(entry);
	}
}

static void
add_second_value(X509_ATTRIBUTE *attr)
{
	ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attr, 0);
	ASN1_STRING *bytes = value->value.sequence;

	must(X509_ATTRIBUTE_set1_data(
	    attr, V_ASN1_SEQUENCE, ASN1_STRING_get0_data(bytes), ASN1_STRING_length(bytes)));
}

/* libcrypto makes no request with an attribute twice. So the second gets another identifier of the
 * same length first; afterwards it is made equal (and the signature is wrong). */
static void
write_request(BIO *bio, X509_REQ *req, bool make_equal)
{
	static const char other[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0f";
	unsigned char *der = NULL, *at;
	int len = i2d_X509_REQ(req, &der);

	must(len > 0);
	if (make_equal) {
		at = memmem(der, (size_t)len, other, strlen(other));
		must(at != NULL);
		at[strlen(other) - 1] = 0x0e;
	}
	must(PEM_write_bio(bio, PEM_STRING_X509_REQ, "", der, len));
	OPENSSL_free(der);
}

char *
pki_csr(const struct pki_request *request)
{
	X509_REQ *req = X509_REQ_new();
	X509_EXTENSIONS *list = request->extensions;
	int nid = request->extension_nid != 0 ? request->extension_nid : NID_ext_req;
	BIO *bio = BIO_new(BIO_s_mem());

	must(X509_REQ_set_version(req, 0) && X509_REQ_set_pubkey(req, request->key));
	add_name(X509_REQ_get_subject_name(req), request->common_name);
	if (list == NULL && request->san != NULL) {
		list = sk_X509_EXTENSION_new_null();
		sk_X509_EXTENSION_push(list, san_extension(request->san));
	}
	if (list != NULL)
		must(X509_REQ_add_extensions_nid(req, list, nid));
	if (request->twice == PKI_SECOND_VALUE)
		add_second_value(X509_REQ_get_attr(req, 0));
	if (request->twice == PKI_SECOND_ATTRIBUTE)
		must(X509_REQ_add_extensions_nid(req, list, NID_SMIMECapabilities));
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	must(X509_REQ_sign(req, request->key,
		 EVP_get_digestbyname(request->digest != NULL ? request->digest : "SHA256")) > 0);
	write_request(bio, req, request->twice == PKI_SECOND_ATTRIBUTE);
	X509_REQ_free(req);
	return take_text(bio);
}

static void
set_names(X509 *cert, const struct pki_certificate *c)
{
	X509_NAME *issuer = X509_NAME_new();

	add_name(X509_get_subject_name(cert), c->common_name);
	add_name(issuer, c->issuer_name);
	must(X509_set_issuer_name(cert, issuer));
	X509_NAME_free(issuer);
}

static void
add_extension(X509 *cert, X509_EXTENSION *extension)
{
	must(extension != NULL && X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
}

char *
pki_certificate(const struct pki_certificate *c)
{
	X509 *cert = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());

	must(X509_set_version(cert, 2) && X509_set_pubkey(cert, c->key));
	must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), 0xa1b2c3));
	set_names(cert, c);
	must(X509_gmtime_adj(X509_getm_notBefore(cert), c->from) != NULL);
	must(X509_gmtime_adj(X509_getm_notAfter(cert), c->until) != NULL);
	if (c->san != NULL)
		add_extension(cert, san_extension(c->san));
	if (c->ca)
		add_extension(
		    cert, X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:TRUE"));
	must(X509_sign(cert, c->issuer_key, EVP_sha256()) > 0);
	must(PEM_write_bio_X509(bio, cert));
	X509_free(cert);
	return take_text(bio);
}
