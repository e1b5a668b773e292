/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the responder serves: one zone (or, without one, any name), its name
 * server and address, and the TXT values of challenges that are active now.
 *
 * Private to dns/.
 */
#pragma once

#include "dns/ldns.h"

#include "base/err.h"
#include "codec/ip.h"
#include "dns/responder_name.h"

struct responder_table;

struct responder_table_conf {
	const char *zone;                  /* NULL: any name */
	const char *ns;                    /* NULL: the zone's own name */
	const struct ip_addr *record;      /* address of every name in the zone, or NULL */
	struct responder_records *records; /* borrowed; NULL: its own */
};

/* ERR_CONFIG. */
struct responder_table *responder_table_new(const struct responder_table_conf *conf, struct err *e);
void responder_table_free(struct responder_table *t); /* NULL is fine */

/* See responder_records.h. */
struct responder_record *responder_table_add(struct responder_table *t, const char *owner,
    const char *value, responder_fetched_fn *fetched, void *arg, struct err *e);
void responder_table_remove(struct responder_table *t, struct responder_record *record);

/* What is known about a name. */
struct responder_view {
	const ldns_rdf *apex; /* of the zone that holds the name; NULL: none of ours */
	bool is_apex;
	bool in_zone;                /* apex is the configured zone, not a challenge's own name */
	bool exists;                 /* has records, or a name below it has */
	struct responder_name *name; /* its TXT values, or NULL */
};
void responder_table_find(
    const struct responder_table *t, const ldns_rdf *qname, struct responder_view *ret);

const ldns_rdf *responder_table_ns(const struct responder_table *t);
const ldns_rdf *responder_table_mailbox(const struct responder_table *t);
const ldns_rdf *responder_table_address(const struct responder_table *t); /* A, AAAA, or NULL */
uint32_t responder_table_serial(const struct responder_table *t); /* grows with every change */
