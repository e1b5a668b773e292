/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/csr_make.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "codec/key.h"
#include "codec/openssl.h"

/* GENERAL_NAME_set0_value takes the string over. */
static bool
add_name(GENERAL_NAMES *list, const struct identifier *id)
{
	bool dns = id->kind == IDENTIFIER_DNS;
	const void *bytes = dns ? (const void *)id->value : id->ip.bytes;
	int len = dns ? (int)strlen(id->value) : id->ip.len;
	ASN1_STRING *string = ASN1_STRING_type_new(dns ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
	GENERAL_NAME *name = GENERAL_NAME_new();

	if (string == NULL || name == NULL || ASN1_STRING_set(string, bytes, len) != 1) {
		ASN1_STRING_free(string);
		GENERAL_NAME_free(name);
		return false;
	}
	GENERAL_NAME_set0_value(name, dns ? GEN_DNS : GEN_IPADD, string);
	if (sk_GENERAL_NAME_push(list, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return false;
}

static bool
add_names(X509_REQ *req, const struct identifiers *names)
{
	GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < names->count; i++)
		ok = add_name(list, &names->items[i]);
	ok = ok &&
	    X509V3_add1_i2d(&extensions, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT) == 1 &&
	    X509_REQ_add_extensions(req, extensions) == 1;
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	sk_GENERAL_NAME_pop_free(list, GENERAL_NAME_free);
	return ok;
}

static char *
to_pem(const X509_REQ *req)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text = NULL;
	long len;

	if (bio != NULL && PEM_write_bio_X509_REQ(bio, req) == 1) {
		len = BIO_get_mem_data(bio, &data);
		text = xstrndup(data, (size_t)len);
	}
	BIO_free(bio);
	return text;
}

char *
csr_make(const struct key *key, const struct identifiers *names, struct err *e)
{
	X509_REQ *req;
	char *pem = NULL;

	ERR_clear_error();
	req = X509_REQ_new();
	if (req != NULL && X509_REQ_set_version(req, X509_REQ_VERSION_1) == 1 &&
	    X509_REQ_set_pubkey(req, key_evp(key)) == 1 && add_names(req, names) &&
	    X509_REQ_sign(req, key_evp(key), EVP_sha256()) > 0)
		pem = to_pem(req);
	if (pem == NULL)
		openssl_error(e, ERR_INTERNAL, "a certificate signing request cannot be made");
	X509_REQ_free(req);
	return pem;
}
