/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/openssl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "codec/digest.h"

/* The oldest entries are nearest to the cause; more than a few only repeat it. */
enum { REASONS_MAX = 3 };

static void
drain(char *out, size_t size)
{
	const char *data, *reason;
	unsigned long code;
	size_t len = 0;
	int flags, n;

	out[0] = '\0';
	for (int i = 0; (code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0; i++) {
		reason = ERR_reason_error_string(code);
		if (i >= REASONS_MAX || len >= size)
			continue;
		n = snprintf(out + len, size - len, ": %s%s%s%s",
		    reason != NULL ? reason : "unknown error",
		    (flags & ERR_TXT_STRING) && *data != '\0' ? " (" : "",
		    (flags & ERR_TXT_STRING) ? data : "",
		    (flags & ERR_TXT_STRING) && *data != '\0' ? ")" : "");
		len += n > 0 ? (size_t)n : 0;
	}
}

bool
openssl_error(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	char text[ERR_DETAIL_MAX], reasons[512];
	va_list ap;

	drain(reasons, sizeof(reasons));
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(e, kind, "%s%s", text, reasons);
}

static bool
hash_and_free(unsigned char *der, int len, uint8_t out[32])
{
	if (len <= 0)
		return false;
	digest_sha256(der, (size_t)len, out);
	OPENSSL_free(der);
	return true;
}

bool
openssl_spki_sha256(struct evp_pkey_st *pkey, uint8_t out[32])
{
	unsigned char *der = NULL;
	int len;

	/* An EC point may come compressed and go uncompressed. */
	if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC &&
	    EVP_PKEY_set_utf8_string_param(
		pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") != 1)
		return false;
	len = i2d_PUBKEY(pkey, &der);
	return hash_and_free(der, len, out);
}

/* EC: an uncompressed point. RSA: parameters of NULL. */
static bool
is_usual_form(const X509_PUBKEY *encoded, int id)
{
	const unsigned char *bits;
	X509_ALGOR *algorithm;
	int len, type;

	if (X509_PUBKEY_get0_param(NULL, &bits, &len, &algorithm, encoded) != 1)
		return false;
	if (id == EVP_PKEY_EC)
		return len > 0 && bits[0] == POINT_CONVERSION_UNCOMPRESSED;
	X509_ALGOR_get0(NULL, &type, NULL, algorithm);
	return type == V_ASN1_NULL;
}

bool
openssl_pubkey_sha256(
    const struct X509_pubkey_st *encoded, struct evp_pkey_st *pkey, uint8_t out[32])
{
	unsigned char *der = NULL;
	int len;

	if (!is_usual_form(encoded, EVP_PKEY_get_base_id(pkey)))
		return openssl_spki_sha256(pkey, out);
	len = i2d_X509_PUBKEY(encoded, &der);
	return hash_and_free(der, len, out);
}
