/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/name.h"

#include <stdlib.h>
#include <string.h>

#include "dns/rdf.h"

void *
rdf_check(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

ldns_rdf *
rdf_from_name(const char *text)
{
	ldns_rdf *rdf = ldns_dname_new_frm_str(text);

	if (rdf != NULL)
		ldns_dname2canonical(rdf);
	return rdf;
}

/* The final dot ends a fully qualified name; one that belongs to a label is escaped. */
static void
drop_final_dot(char *text)
{
	size_t len = strlen(text);

	if (len > 1 && text[len - 1] == '.')
		text[len - 1] = '\0';
}

bool
rdf_to_name(const ldns_rdf *rdf, char out[DNS_NAME_TEXT])
{
	bool ok = false;

	if (rdf == NULL || ldns_rdf_get_type(rdf) != LDNS_RDF_TYPE_DNAME)
		return false;
	ldns_rdf *copy = rdf_check(ldns_rdf_clone(rdf));
	ldns_dname2canonical(copy);
	char *text = rdf_check(ldns_rdf2str(copy));
	if (strlen(text) < DNS_NAME_TEXT) {
		strcpy(out, text);
		drop_final_dot(out);
		ok = true;
	}
	LDNS_FREE(text);
	ldns_rdf_deep_free(copy);
	return ok;
}

static bool
put(ldns_rdf *rdf, char out[DNS_NAME_TEXT])
{
	bool ok = rdf_to_name(rdf, out);

	ldns_rdf_deep_free(rdf);
	return ok;
}

bool
dns_name_parse(const char *text, char ret[DNS_NAME_TEXT])
{
	return text[0] != '\0' && put(rdf_from_name(text), ret);
}

bool
dns_name_equal(const char *a, const char *b)
{
	return dns_name_within(a, b) && dns_name_within(b, a);
}

bool
dns_name_within(const char *name, const char *zone)
{
	ldns_rdf *n = rdf_from_name(name);
	ldns_rdf *z = rdf_from_name(zone);
	bool within = n != NULL && z != NULL &&
	    (ldns_dname_compare(n, z) == 0 || ldns_dname_is_subdomain(n, z));

	ldns_rdf_deep_free(n);
	ldns_rdf_deep_free(z);
	return within;
}

static unsigned
label_count(const char *name)
{
	ldns_rdf *rdf = rdf_from_name(name);
	unsigned count = rdf == NULL ? 0 : ldns_dname_label_count(rdf);

	ldns_rdf_deep_free(rdf);
	return count;
}

bool
dns_name_parent(const char *name, char out[DNS_NAME_TEXT])
{
	unsigned count = label_count(name);

	return count > 0 && dns_name_last_labels(name, count - 1, out);
}

bool
dns_name_last_labels(const char *name, unsigned count, char out[DNS_NAME_TEXT])
{
	unsigned have = label_count(name);

	if (count > have)
		return false;
	if (count == 0) {
		strcpy(out, ".");
		return true;
	}
	ldns_rdf *rdf = rdf_from_name(name);
	ldns_rdf *tail = ldns_dname_clone_from(rdf, (uint16_t)(have - count));
	ldns_rdf_deep_free(rdf);
	return put(tail, out);
}

static ldns_rdf *
splice(const ldns_rdf *name, const ldns_rdf *from, const ldns_rdf *to)
{
	uint8_t octets[LDNS_MAX_DOMAINLEN];
	size_t prefix = ldns_rdf_size(name) - ldns_rdf_size(from);
	size_t size = prefix + ldns_rdf_size(to);

	if (size > sizeof(octets))
		return NULL;
	memcpy(octets, ldns_rdf_data(name), prefix);
	memcpy(octets + prefix, ldns_rdf_data(to), ldns_rdf_size(to));
	return rdf_check(ldns_dname_new_frm_data((uint16_t)size, octets));
}

bool
dns_name_replace(const char *name, const char *from, const char *to, char out[DNS_NAME_TEXT])
{
	if (!dns_name_within(name, from) || dns_name_within(from, name))
		return false;
	ldns_rdf *rdf = rdf_from_name(name);
	ldns_rdf *suffix = rdf_from_name(from);
	ldns_rdf *target = rdf_from_name(to);
	ldns_rdf *result = target == NULL ? NULL : splice(rdf, suffix, target);

	ldns_rdf_deep_free(rdf);
	ldns_rdf_deep_free(suffix);
	ldns_rdf_deep_free(target);
	return put(result, out);
}
