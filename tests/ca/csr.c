/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "csr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const uint8_t oid_common_name[] = {0x55, 0x04, 0x03};
static const uint8_t oid_san[] = {0x55, 0x1d, 0x11};
static const uint8_t oid_extension_request[] = {
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};

static bool
add_name(struct csr *c, enum san_kind kind, char *text)
{
	for (char *p = text; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	for (size_t i = 0; i < c->count; i++) {
		if (c->names[i].kind == kind && strcmp(c->names[i].text, text) == 0) {
			free(text);
			return true;
		}
	}
	if (c->count == CSR_NAMES_MAX) {
		free(text);
		return false;
	}
	c->names[c->count++] = (struct san){kind, text};
	return true;
}

static bool
add_san(struct csr *c, uint8_t tag, struct der value)
{
	char text[INET6_ADDRSTRLEN];

	if (tag == SAN_DNS)
		return memchr(value.p, '\0', value.len) == NULL &&
		    add_name(c, SAN_DNS, xstrndup((const char *)value.p, value.len));
	if (tag != SAN_IP || (value.len != 4 && value.len != 16))
		return false;
	inet_ntop(value.len == 4 ? AF_INET : AF_INET6, value.p, text, sizeof(text));
	return add_name(c, SAN_IP, xstrdup(text));
}

static bool
read_san(struct csr *c, struct der value)
{
	struct der names;
	uint8_t tag;

	if (!der_take(&value, DER_SEQUENCE, &names))
		return false;
	while (names.len > 0) {
		struct der name;

		if (!der_next(&names, &tag, &name, NULL) || !add_san(c, tag, name))
			return false;
	}
	return true;
}

static bool
read_extensions(struct csr *c, struct der list)
{
	struct der extension, oid, value, critical;

	while (list.len > 0) {
		if (!der_take(&list, DER_SEQUENCE, &extension) ||
		    !der_take(&extension, DER_OID, &oid))
			return false;
		der_take(&extension, DER_BOOLEAN, &critical);
		if (!der_take(&extension, DER_OCTET_STRING, &value))
			return false;
		if (der_equal(oid, oid_san, sizeof(oid_san)) && !read_san(c, value))
			return false;
	}
	return true;
}

static bool
read_attributes(struct csr *c, struct der list)
{
	struct der attribute, oid, values, extensions;

	while (list.len > 0) {
		if (!der_take(&list, DER_SEQUENCE, &attribute) ||
		    !der_take(&attribute, DER_OID, &oid) || !der_take(&attribute, DER_SET, &values))
			return false;
		if (!der_equal(oid, oid_extension_request, sizeof(oid_extension_request)))
			continue;
		if (!der_take(&values, DER_SEQUENCE, &extensions) ||
		    !read_extensions(c, extensions))
			return false;
	}
	return true;
}

static bool
read_subject(struct csr *c, struct der subject)
{
	struct der set, pair, oid, value;
	uint8_t tag;

	while (subject.len > 0) {
		if (!der_take(&subject, DER_SET, &set) || !der_take(&set, DER_SEQUENCE, &pair) ||
		    !der_take(&pair, DER_OID, &oid) || !der_next(&pair, &tag, &value, NULL))
			return false;
		if (der_equal(oid, oid_common_name, sizeof(oid_common_name)))
			c->common_name = value;
	}
	return true;
}

static bool
read_info(struct csr *c, struct der info)
{
	struct der version, subject, attributes;
	uint8_t tag;

	if (!der_take(&info, DER_INTEGER, &version) || !der_take(&info, DER_SEQUENCE, &subject) ||
	    !read_subject(c, subject) || !der_next(&info, &tag, NULL, &c->spki) ||
	    tag != DER_SEQUENCE)
		return false;
	return !der_take(&info, DER_CONTEXT_0, &attributes) || read_attributes(c, attributes);
}

bool
csr_parse(struct csr *c, struct der der, bool verify, struct err *e)
{
	struct der rest = der, outer, info;

	*c = (struct csr){0};
	if (!der_take(&rest, DER_SEQUENCE, &outer) || rest.len > 0 ||
	    !der_take(&outer, DER_SEQUENCE, &info) || !read_info(c, info))
		return err_set(e, ERR_BAD_CSR, "this is no certification request");
	if (c->common_name.len > 0 &&
	    !add_name(c, SAN_DNS, xstrndup((const char *)c->common_name.p, c->common_name.len)))
		return err_set(e, ERR_BAD_CSR, "too many names");
	return !verify || csr_verify(c, der, e);
}

void
csr_done(struct csr *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->names[i].text);
	c->count = 0;
}
