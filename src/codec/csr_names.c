/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/csr_names.h"

#include <string.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "codec/openssl.h"
#include "codec/san.h"
#include "codec/text.h"

enum { COMMON_NAME_MAX = 64 }; /* X.520 */

/*
 * The requested extensions into *ret (NULL if there are none). Only the
 * standard attribute, once: where two parsers could see different names, one
 * of them would be deceived.
 */
static bool
get_extensions(const X509_REQ *req, STACK_OF(X509_EXTENSION) * *ret, struct err *e)
{
	int at = X509_REQ_get_attr_by_NID(req, NID_ext_req, -1);
	const ASN1_TYPE *value;
	const unsigned char *p;
	X509_ATTRIBUTE *attr;
	long len;

	*ret = NULL;
	if (X509_REQ_get_attr_by_NID(req, NID_ms_ext_req, -1) >= 0)
		return err_set(e, ERR_BAD_CSR,
		    "it has extensions in an attribute of Microsoft's that CAs ignore: "
		    "use the PKCS #9 extensionRequest");
	if (at < 0)
		return true;
	attr = X509_REQ_get_attr(req, at);
	if (X509_REQ_get_attr_by_NID(req, NID_ext_req, at) >= 0 || X509_ATTRIBUTE_count(attr) != 1)
		return err_set(e, ERR_BAD_CSR, "it has more than one extensionRequest");
	value = X509_ATTRIBUTE_get0_type(attr, 0);
	if (value == NULL || value->type != V_ASN1_SEQUENCE)
		return err_set(e, ERR_BAD_CSR, "its extensionRequest is not a list of extensions");
	p = ASN1_STRING_get0_data(value->value.sequence);
	len = ASN1_STRING_length(value->value.sequence);
	*ret = d2i_X509_EXTENSIONS(NULL, &p, len);
	if (*ret != NULL)
		return true;
	return openssl_error(e, ERR_BAD_CSR, "its extensionRequest cannot be read");
}

static bool
collect_san(const X509_REQ *req, struct identifiers *names, struct err *e)
{
	STACK_OF(X509_EXTENSION) * extensions;
	bool good;

	if (!get_extensions(req, &extensions, e))
		return false;
	good = san_collect(extensions, names, e);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return good;
}

static bool
check_common_name(const char *text, size_t len, struct identifier *ret, struct err *e)
{
	char quoted[TEXT_QUOTE_MAX];
	struct ip_addr addr;

	text_quote(text, len, quoted);
	if (ip_addr_parse(text, len, &addr))
		return err_set(e, ERR_BAD_CSR,
		    "its common name is the IP address %s: put it into subjectAltName as IP:%s",
		    quoted, quoted);
	if (len > COMMON_NAME_MAX)
		return err_set(e, ERR_BAD_CSR,
		    "its common name \"%s\" is longer than %d characters: put it into "
		    "subjectAltName alone",
		    quoted, COMMON_NAME_MAX);
	return identifier_dns(text, len, ret, e) ||
	    err_prefix(e, "its common name must be a host name or absent");
}

static bool
collect_common_name(const X509_REQ *req, struct identifiers *names, struct err *e)
{
	const X509_NAME *subject = X509_REQ_get_subject_name(req);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1), len;
	unsigned char *text = NULL;
	struct identifier id;
	bool good;

	if (at < 0)
		return true;
	if (X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return err_set(e, ERR_BAD_CSR,
		    "it has more than one common name: put the names into subjectAltName");
	len =
	    ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (len < 0)
		return openssl_error(e, ERR_BAD_CSR, "its common name cannot be read");
	good = check_common_name((const char *)text, (size_t)len, &id, e);
	OPENSSL_free(text);
	if (good)
		identifiers_add(names, &id);
	return good;
}

/* A CA refuses an order for *.example.org and www.example.org. */
static bool
check_wildcards(const struct identifiers *names, struct err *e)
{
	for (size_t w = 0; w < names->count; w++) {
		const struct identifier *wildcard = &names->items[w];

		if (!identifier_is_wildcard(wildcard))
			continue;
		for (size_t i = 0; i < names->count; i++) {
			const char *dot = strchr(names->items[i].value, '.');

			if (i != w && names->items[i].kind == IDENTIFIER_DNS && dot != NULL &&
			    strcmp(dot, wildcard->value + 1) == 0)
				return err_set(e, ERR_BAD_CSR,
				    "%s is covered by %s already: leave one of them out",
				    names->items[i].value, wildcard->value);
		}
	}
	return true;
}

bool
csr_names(
    const struct X509_req_st *req, struct identifiers *names, bool *ret_only_in_cn, struct err *e)
{
	if (!collect_san(req, names, e))
		return false;
	*ret_only_in_cn = names->count == 0;
	if (!collect_common_name(req, names, e))
		return false;
	if (names->count == 0)
		return err_set(e, ERR_BAD_CSR,
		    "it names no host: put the names into subjectAltName (openssl req -addext "
		    "subjectAltName=DNS:www.example.org)");
	if (names->count > IDENTIFIERS_MAX)
		return err_set(e, ERR_BAD_CSR, "it has more than %d names", IDENTIFIERS_MAX);
	return check_wildcards(names, e);
}
