/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/openssl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
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
	if (len <= 0)
		return false;
	digest_sha256(der, (size_t)len, out);
	OPENSSL_free(der);
	return true;
}
