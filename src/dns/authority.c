/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/authority.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/ip.h"
#include "dns/ask.h"
#include "dns/client.h"
#include "dns/message.h"
#include "ev/loop.h"
#include "ev/op.h"

struct finding;

/* A or AAAA of one name server. */
struct lookup {
	struct finding *f;
	size_t which;
	ldns_rr_type type;
	struct op *question;
};

struct finding {
	struct op op;
	struct dns_authority_find f;
	struct dns_servers order;
	struct dns_authorities found;
	struct lookup lookups[2 * DNS_AUTHORITIES_MAX];
	size_t open; /* lookups that are not answered */
	struct op *ns;
};

static void
release(void *arg)
{
	struct finding *f = arg;

	for (size_t i = 0; i < f->found.count; i++)
		dns_servers_done(&f->found.items[i].addresses);
	dns_servers_done(&f->order);
	free(f);
}

static void
finding_free(struct finding *f)
{
	op_cancel(&f->ns);
	for (size_t i = 0; i < 2 * f->found.count; i++)
		op_cancel(&f->lookups[i].question);
	loop_dispose(dns_client_loop(f->f.client), release, f);
}

static void
finding_cancel(struct op *op)
{
	finding_free((struct finding *)op);
}

static void
finish(struct finding *f, const struct err *e)
{
	op_end(&f->op);
	f->f.done(f->f.arg, e == NULL ? &f->found : NULL, e);
	finding_free(f);
}

static void
question(struct finding *f, const char *name, ldns_rr_type type,
    void (*done)(void *, size_t, const struct dns_message *, const struct err *), void *arg,
    struct op **slot)
{
	dns_question_start(
	    &(struct dns_question){
		.client = f->f.client,
		.servers = &f->order,
		.timeout_ms = f->f.timeout_ms,
		.name = name,
		.type = type,
		.done = done,
		.arg = arg,
	    },
	    slot);
}

/* ---- addresses ---- */

static uint16_t
port_of(const struct finding *f, const char *address)
{
	for (size_t i = 0; i < f->f.servers->count; i++)
		if (strcmp(f->f.servers->items[i].at.host, address) == 0)
			return f->f.servers->items[i].at.port;
	return DNS_PORT;
}

static void
add_address(struct finding *f, struct dns_authority *to, const ldns_rr *rr)
{
	const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);
	struct ip_addr ip = {0};
	struct dns_server s = {0};
	char text[IP_ADDR_TEXT];

	if (rdf == NULL || to->addresses.count == DNS_AUTHORITY_ADDRESSES_MAX ||
	    (ldns_rdf_size(rdf) != 4 && ldns_rdf_size(rdf) != 16))
		return;
	ip.len = (uint8_t)ldns_rdf_size(rdf);
	memcpy(ip.bytes, ldns_rdf_data(rdf), ip.len);
	snprintf(s.at.host, sizeof(s.at.host), "%s", ip_addr_format(&ip, text));
	s.at.port = port_of(f, s.at.host);
	snprintf(s.text, sizeof(s.text), "%.255s (%s)", to->name, text);
	dns_servers_append(&to->addresses, &s);
}

static void
looked_up(void *arg, size_t server, const struct dns_message *m, const struct err *e)
{
	struct lookup *l = arg;
	struct finding *f = l->f;
	const ldns_rr *rr;

	/* Names under CNAME records are no name servers (RFC 2181 10.3), so the owner of each is
	 * ours or the answer is odd; an address too many would only be one server more to ask. */
	for (size_t i = 0;
	     m != NULL && (rr = dns_message_find(m, LDNS_SECTION_ANSWER, l->type, i)) != NULL; i++)
		add_address(f, &f->found.items[l->which], rr);
	if (--f->open == 0)
		finish(f, NULL);
}

static void
look_up(struct finding *f, size_t which, ldns_rr_type type)
{
	struct lookup *l = &f->lookups[f->open++];

	l->f = f;
	l->which = which;
	l->type = type;
	question(f, f->found.items[which].name, type, looked_up, l, &l->question);
}

/* ---- name servers ---- */

static void
take_names(struct finding *f, const struct dns_message *m)
{
	const ldns_rr *rr;
	char owner[DNS_NAME_TEXT];

	for (size_t i = 0; f->found.count < DNS_AUTHORITIES_MAX &&
	     (rr = dns_message_find(m, LDNS_SECTION_ANSWER, LDNS_RR_TYPE_NS, i)) != NULL;
	     i++)
		if (dns_rr_owner(rr, owner) && dns_name_equal(owner, f->f.zone) &&
		    dns_rr_name(rr, 0, f->found.items[f->found.count].name))
			f->found.count++;
}

static bool
has_names(void *arg, size_t server, const struct dns_message *m, struct err *e)
{
	struct finding *f = arg;

	take_names(f, m);
	return f->found.count > 0 ||
	    err_set(e, ERR_UPSTREAM, "it knows no NS records of %.255s", f->f.zone);
}

static void
named(void *arg, size_t server, const struct dns_message *m, const struct err *e)
{
	struct finding *f = arg;

	if (m == NULL) {
		finish(f, e);
		return;
	}
	for (size_t i = 0; i < f->found.count; i++) {
		look_up(f, i, LDNS_RR_TYPE_A);
		look_up(f, i, LDNS_RR_TYPE_AAAA);
	}
}

void
dns_authority_find_start(const struct dns_authority_find *find, struct op **slot)
{
	struct finding *f = xcalloc(1, sizeof(*f));

	f->f = *find;
	dns_servers_join(&f->order, find->resolvers);
	dns_servers_join(&f->order, find->servers);
	op_begin(&f->op, slot, finding_cancel);
	dns_question_start(
	    &(struct dns_question){
		.client = find->client,
		.servers = &f->order,
		.timeout_ms = find->timeout_ms,
		.name = find->zone,
		.type = LDNS_RR_TYPE_NS,
		.accept = has_names,
		.done = named,
		.arg = f,
	    },
	    &f->ns);
}
