/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/san.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "codec/openssl.h"
#include "codec/text.h"

/* The kinds nobody can prove to a CA by ACME, for messages. */
static const char *const kind_names[] = {
    [GEN_OTHERNAME] = "an otherName",
    [GEN_EMAIL] = "an e-mail address",
    [GEN_X400] = "an X.400 address",
    [GEN_DIRNAME] = "a directory name",
    [GEN_EDIPARTY] = "an EDI party name",
    [GEN_URI] = "a URI",
    [GEN_RID] = "a registered ID",
};

static bool
refuse_kind(const GENERAL_NAME *name, struct err *e)
{
	bool known = name->type >= 0 &&
	    (size_t)name->type < sizeof(kind_names) / sizeof(kind_names[0]) &&
	    kind_names[name->type] != NULL;
	const char *kind = known ? kind_names[name->type] : "of an unknown kind";
	char quoted[TEXT_QUOTE_MAX];

	if (name->type != GEN_EMAIL && name->type != GEN_URI)
		return err_set(e, ERR_BAD_CSR,
		    "a subject alternative name is %s: only DNS names and IP addresses are "
		    "possible",
		    kind);
	return err_set(e, ERR_BAD_CSR,
	    "the subject alternative name \"%s\" is %s: only DNS names and IP addresses are "
	    "possible",
	    text_quote(ASN1_STRING_get0_data(name->d.ia5), (size_t)ASN1_STRING_length(name->d.ia5),
		quoted),
	    kind);
}

static bool
parse_address(const ASN1_OCTET_STRING *octets, struct identifier *ret, struct err *e)
{
	const uint8_t *bytes = ASN1_STRING_get0_data(octets);
	size_t len = (size_t)ASN1_STRING_length(octets);
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct ip_addr addr = {0};

	if (len != 4 && len != 16)
		return err_set(e, ERR_BAD_CSR,
		    "an IP address among the subject alternative names has %zu bytes instead of 4 "
		    "or 16",
		    len);
	if (len == 16 && memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return err_set(e, ERR_BAD_CSR,
		    "the subject alternative name %u.%u.%u.%u is written as an IPv6 address: "
		    "write the IPv4 address",
		    bytes[12], bytes[13], bytes[14], bytes[15]);
	addr.len = (uint8_t)len;
	memcpy(addr.bytes, bytes, len);
	identifier_ip(&addr, ret);
	return true;
}

static bool
collect_name(const GENERAL_NAME *name, struct identifiers *names, struct err *e)
{
	struct identifier id;

	if (name->type == GEN_DNS) {
		if (!identifier_dns((const char *)ASN1_STRING_get0_data(name->d.dNSName),
			(size_t)ASN1_STRING_length(name->d.dNSName), &id, e))
			return err_prefix(e, "among the subject alternative names");
	} else if (name->type == GEN_IPADD) {
		if (!parse_address(name->d.iPAddress, &id, e))
			return false;
	} else {
		return refuse_kind(name, e);
	}
	identifiers_add(names, &id);
	if (names->count > IDENTIFIERS_MAX)
		return err_set(e, ERR_BAD_CSR, "it has more than %d names", IDENTIFIERS_MAX);
	return true;
}

/* The whole extension as names, or NULL: bytes behind it would be seen by others, not by us. */
static GENERAL_NAMES *
decode(X509_EXTENSION *extension)
{
	const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data(extension);
	const unsigned char *p = ASN1_STRING_get0_data(data);
	const unsigned char *end = p + ASN1_STRING_length(data);
	GENERAL_NAMES *list = d2i_GENERAL_NAMES(NULL, &p, end - p);

	if (list != NULL && p == end)
		return list;
	GENERAL_NAMES_free(list);
	return NULL;
}

bool
san_collect(
    const struct stack_st_X509_EXTENSION *extensions, struct identifiers *names, struct err *e)
{
	int at = X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1);
	GENERAL_NAMES *list;
	bool good = true;

	if (at < 0)
		return true;
	if (X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, at) >= 0)
		return err_set(
		    e, ERR_BAD_CSR, "it has two subjectAltName extensions: put all names into one");
	list = decode(X509v3_get_ext(extensions, at));
	if (list == NULL)
		return openssl_error(e, ERR_BAD_CSR, "its subjectAltName extension cannot be read");
	for (int i = 0; good && i < sk_GENERAL_NAME_num(list); i++)
		good = collect_name(sk_GENERAL_NAME_value(list, i), names, e);
	GENERAL_NAMES_free(list);
	return good;
}
