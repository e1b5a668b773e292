/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/certificate.h"

#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "codec/openssl.h"
#include "codec/text.h"

static bool
get_time(const ASN1_TIME *when, int64_t *ret)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(when, &tm) != 1)
		return false;
	*ret = timegm(&tm);
	return true;
}

static bool
get_serial(const X509 *cert, char out[SERIAL_HEX])
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = bn != NULL ? BN_bn2hex(bn) : NULL;
	bool fits = hex != NULL && strlen(hex) < SERIAL_HEX;

	if (fits)
		strcpy(out, hex);
	OPENSSL_free(hex);
	BN_free(bn);
	return fits;
}

/* The issuer's common name; without one, or if it cannot be read, "". */
static void
get_issuer(const X509 *cert, char out[ISSUER_MAX])
{
	const X509_NAME *name = X509_get_issuer_name(cert);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	unsigned char *text = NULL;

	out[0] = '\0';
	if (at < 0 ||
	    ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))) < 0)
		return;
	text_copy(out, ISSUER_MAX, (const char *)text);
	OPENSSL_free(text);
}

bool
certificate_leaf_info(X509 *cert, struct leaf_info *ret, struct err *e)
{
	struct leaf_info info = {0};
	EVP_PKEY *pkey = X509_get0_pubkey(cert);

	if (!get_time(X509_get0_notBefore(cert), &info.not_before) ||
	    !get_time(X509_get0_notAfter(cert), &info.not_after))
		return openssl_error(e, ERR_UPSTREAM, "the certificate's dates cannot be read");
	if (!get_serial(cert, info.serial))
		return openssl_error(
		    e, ERR_UPSTREAM, "the certificate's serial number cannot be read");
	if (pkey == NULL ||
	    !openssl_pubkey_sha256(X509_get_X509_PUBKEY(cert), pkey, info.spki_sha256))
		return openssl_error(e, ERR_UPSTREAM, "the certificate's key cannot be read");
	get_issuer(cert, info.issuer);
	*ret = info;
	return true;
}

X509 *
certificate_decode(const struct pem_block *block, struct err *e)
{
	const unsigned char *p = block->der, *end = p + block->der_len;
	X509 *cert;

	ERR_clear_error();
	cert = d2i_X509(NULL, &p, end - p);
	if (cert != NULL && p == end)
		return cert;
	openssl_error(e, ERR_UPSTREAM, "a certificate cannot be decoded");
	X509_free(cert);
	return NULL;
}
