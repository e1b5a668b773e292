/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/responder_records.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"
#include "dns/rdf.h"
#include "dns/responder_key.h"
#include "dns/responder_name.h"

struct responder_records {
	struct map *names; /* responder_key to struct responder_name */
	uint32_t serial;
};

/* Serial numbers grow over restarts too, hence the clock; RFC 1982 order within one run. */
static void
next_serial(struct responder_records *r)
{
	uint32_t now = (uint32_t)clock_wall();

	r->serial = (int32_t)(now - r->serial) > 0 ? now : r->serial + 1;
}

struct responder_records *
responder_records_new(void)
{
	struct responder_records *r = xcalloc(1, sizeof(*r));

	r->names = map_new();
	r->serial = (uint32_t)clock_wall();
	return r;
}

static void
free_name(const void *key, size_t key_len, void *value, void *arg)
{
	responder_name_free(value);
}

void
responder_records_free(struct responder_records *r)
{
	if (r == NULL)
		return;
	map_each(r->names, free_name, NULL);
	map_free(r->names);
	free(r);
}

/* The name for owner, made if it is not there; takes owner over. */
static struct responder_name *
name_for(struct responder_records *r, ldns_rdf *owner)
{
	struct responder_key key;
	struct responder_name *name;

	responder_key_of(owner, &key);
	name = map_get(r->names, key.bytes, key.len);
	if (name != NULL) {
		ldns_rdf_deep_free(owner);
		return name;
	}
	name = responder_name_new(owner);
	map_put(r->names, key.bytes, key.len, name);
	return name;
}

static void
forget_if_empty(struct responder_records *r, struct responder_name *name)
{
	struct responder_key key;

	if (name->count > 0)
		return;
	responder_key_of(name->owner, &key);
	map_remove(r->names, key.bytes, key.len);
	responder_name_free(name);
}

struct responder_record *
responder_records_add(struct responder_records *r, const char *owner, const char *value,
    void (*fetched)(void *arg), void *arg, struct err *e)
{
	ldns_rdf *dname = rdf_from_name(owner);
	struct responder_record *record;
	struct responder_name *name;

	if (dname == NULL) {
		err_set(e, ERR_INTERNAL, "'%s' is no domain name, or too long for one", owner);
		return NULL;
	}
	name = name_for(r, dname);
	record = responder_name_add(name, value, fetched, arg, e);
	if (record != NULL)
		next_serial(r);
	else
		err_prefix(e, "%s", owner);
	forget_if_empty(r, name);
	return record;
}

void
responder_records_remove(struct responder_records *r, struct responder_record *record)
{
	struct responder_name *name = record->name;

	responder_name_remove(record);
	next_serial(r);
	forget_if_empty(r, name);
}

struct responder_name *
responder_records_find(const struct responder_records *r, const struct responder_key *key)
{
	return map_get(r->names, key->bytes, key->len);
}

bool
responder_records_below(const struct responder_records *r, const struct responder_key *key)
{
	const void *next = NULL;
	size_t len = 0;

	return map_next(r->names, key->bytes, key->len, &next, &len) != NULL && len > key->len &&
	    memcmp(next, key->bytes, key->len) == 0;
}

uint32_t
responder_records_serial(const struct responder_records *r)
{
	return r->serial;
}
