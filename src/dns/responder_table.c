/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/responder_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/rdf.h"
#include "dns/responder_key.h"
#include "dns/responder_records.h"

struct responder_table {
	ldns_rdf *zone; /* the root if none is configured */
	struct responder_key zone_key;
	ldns_rdf *ns;
	ldns_rdf *mailbox;
	ldns_rdf *address; /* or NULL */
	struct responder_records *records;
	struct responder_records *own; /* those, unless they are borrowed */
};

static ldns_rdf *
parse_name(const char *option, const char *text, struct err *e)
{
	ldns_rdf *name = rdf_from_name(text);

	if (name == NULL)
		err_set(e, ERR_CONFIG, "%s: '%s' is not a domain name", option, text);
	return name;
}

static ldns_rdf *
make_address(const struct ip_addr *addr)
{
	ldns_rdf_type type = addr->len == 4 ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA;

	return rdf_check(ldns_rdf_new_frm_data(type, addr->len, addr->bytes));
}

static ldns_rdf *
make_mailbox(const ldns_rdf *zone, struct err *e)
{
	ldns_rdf *mailbox = rdf_check(rdf_from_name("hostmaster"));

	if (ldns_dname_cat(mailbox, zone) == LDNS_STATUS_OK &&
	    ldns_rdf_size(mailbox) <= LDNS_MAX_DOMAINLEN)
		return mailbox;
	ldns_rdf_deep_free(mailbox);
	err_set(e, ERR_CONFIG, "zone: the name is too long to have names below it");
	return NULL;
}

static bool
fill(struct responder_table *t, const struct responder_table_conf *conf, struct err *e)
{
	const char *zone = conf->zone != NULL ? conf->zone : ".";
	const char *ns = conf->ns != NULL ? conf->ns : conf->zone != NULL ? zone : "localhost";

	t->zone = parse_name("zone", zone, e);
	if (t->zone == NULL)
		return false;
	responder_key_of(t->zone, &t->zone_key);
	t->ns = parse_name("ns", ns, e);
	if (t->ns == NULL)
		return false;
	t->mailbox = make_mailbox(t->zone, e);
	if (t->mailbox == NULL)
		return false;
	if (conf->record != NULL)
		t->address = make_address(conf->record);
	return true;
}

struct responder_table *
responder_table_new(const struct responder_table_conf *conf, struct err *e)
{
	struct responder_table *t = xcalloc(1, sizeof(*t));

	t->records = conf->records;
	if (t->records == NULL)
		t->records = t->own = responder_records_new();
	if (fill(t, conf, e))
		return t;
	responder_table_free(t);
	return NULL;
}

void
responder_table_free(struct responder_table *t)
{
	if (t == NULL)
		return;
	responder_records_free(t->own);
	ldns_rdf_deep_free(t->zone);
	ldns_rdf_deep_free(t->ns);
	ldns_rdf_deep_free(t->mailbox);
	ldns_rdf_deep_free(t->address);
	free(t);
}

struct responder_record *
responder_table_add(struct responder_table *t, const char *owner, const char *value,
    responder_fetched_fn *fetched, void *arg, struct err *e)
{
	return responder_records_add(t->records, owner, value, fetched, arg, e);
}

void
responder_table_remove(struct responder_table *t, struct responder_record *record)
{
	responder_records_remove(t->records, record);
}

/* The name server may stand outside of the zone; inside, its name is one of the zone's. */
static bool
leads_to_ns(const struct responder_table *t, const struct responder_key *key)
{
	struct responder_key ns;

	responder_key_of(t->ns, &ns);
	return responder_key_within(&ns, key);
}

/*
 * A challenge's own name outside of the zone, _acme-challenge.NAME, is a zone of
 * its own while it is active: whoever asks us about it was delegated here by NS
 * records at that name, or was told to.
 */
void
responder_table_find(
    const struct responder_table *t, const ldns_rdf *qname, struct responder_view *ret)
{
	struct responder_key key;

	*ret = (struct responder_view){0};
	responder_key_of(qname, &key);
	ret->name = responder_records_find(t->records, &key);
	ret->in_zone = responder_key_within(&key, &t->zone_key);
	if (!ret->in_zone) {
		ret->apex = ret->name != NULL ? ret->name->owner : NULL;
		ret->is_apex = ret->exists = ret->name != NULL;
		return;
	}
	ret->apex = t->zone;
	ret->is_apex = key.len == t->zone_key.len;
	ret->exists = ret->is_apex || ret->name != NULL || t->address != NULL ||
	    responder_records_below(t->records, &key) || leads_to_ns(t, &key);
}

const ldns_rdf *
responder_table_ns(const struct responder_table *t)
{
	return t->ns;
}

const ldns_rdf *
responder_table_mailbox(const struct responder_table *t)
{
	return t->mailbox;
}

const ldns_rdf *
responder_table_address(const struct responder_table *t)
{
	return t->address;
}

uint32_t
responder_table_serial(const struct responder_table *t)
{
	return responder_records_serial(t->records);
}
