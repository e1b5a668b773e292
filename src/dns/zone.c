/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/zone.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/ask.h"
#include "dns/client.h"
#include "dns/message.h"
#include "ev/loop.h"
#include "ev/op.h"

struct finding {
	struct op op;
	struct dns_zone_find f;
	char wanted[DNS_NAME_TEXT]; /* whose zone */
	char asked[DNS_NAME_TEXT];  /* the name, or an ancestor if a CNAME record is there */
	size_t not_authoritative;   /* servers that said so */
	bool alias;                 /* the accepted answer is a CNAME record */
	struct dns_zone zone;
	struct op *ask;
};

static void ask(struct finding *f, size_t first);

static void
finding_cancel(struct op *op)
{
	struct finding *f = (struct finding *)op;

	op_cancel(&f->ask);
	loop_dispose(dns_client_loop(f->f.client), free, f);
}

static void
finish(struct finding *f, const struct err *e)
{
	op_end(&f->op);
	f->f.done(f->f.arg, e == NULL ? &f->zone : NULL, e);
	loop_dispose(dns_client_loop(f->f.client), free, f);
}

static struct dns_request *
build(void *arg, size_t server, bool plain, struct err *e)
{
	struct finding *f = arg;
	struct dns_request *r = dns_request_query(f->asked, LDNS_RR_TYPE_SOA, false, !plain);

	if (r == NULL)
		err_set(e, ERR_INTERNAL, "\"%.255s\" is not a domain name", f->asked);
	return r;
}

/* The SOA of an answer stands in the answer section at the apex, else in authority. */
static bool
soa_owner(const struct finding *f, const struct dns_message *m, char out[DNS_NAME_TEXT])
{
	static const ldns_pkt_section sections[] = {LDNS_SECTION_ANSWER, LDNS_SECTION_AUTHORITY};

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const ldns_rr *rr = dns_message_find(m, sections[i], LDNS_RR_TYPE_SOA, 0);
		if (rr != NULL && dns_rr_owner(rr, out) && dns_name_within(f->asked, out))
			return true;
	}
	return false;
}

static bool
is_alias(const struct finding *f, const struct dns_message *m)
{
	const ldns_rr *rr;
	char owner[DNS_NAME_TEXT];

	for (size_t i = 0;
	     (rr = dns_message_find(m, LDNS_SECTION_ANSWER, LDNS_RR_TYPE_CNAME, i)) != NULL; i++)
		if (dns_rr_owner(rr, owner) && dns_name_equal(owner, f->asked))
			return true;
	return false;
}

static bool
not_authoritative(struct finding *f, const struct dns_message *m, struct err *e)
{
	const ldns_rr *rr = dns_message_find(m, LDNS_SECTION_AUTHORITY, LDNS_RR_TYPE_NS, 0);
	char owner[DNS_NAME_TEXT];
	char host[DNS_NAME_TEXT];

	f->not_authoritative++;
	if (rr != NULL && dns_rr_owner(rr, owner) && dns_rr_name(rr, 0, host))
		return err_set(e, ERR_CONFIG,
		    "it is not authoritative for %.255s (it refers to %.255s for %.255s)", f->asked,
		    host, owner);
	return err_set(e, ERR_CONFIG, "it is not authoritative for %.255s", f->asked);
}

static bool
accept_answer(void *arg, size_t server, const struct dns_message *m, struct err *e)
{
	struct finding *f = arg;
	char number[16];

	if (m->rcode != LDNS_RCODE_NOERROR && m->rcode != LDNS_RCODE_NXDOMAIN)
		return err_set(e, ERR_UPSTREAM, "%s", dns_rcode_text(m->rcode, number));
	if (!m->aa)
		return not_authoritative(f, m, e);
	f->alias = is_alias(f, m);
	if (!f->alias && !soa_owner(f, m, f->zone.name))
		return err_set(e, ERR_UPSTREAM, "its answer names no zone");
	return true;
}

/* The rule of the original, for servers that keep questions from us. */
static bool
guess(struct finding *f, const struct err *why)
{
	if (f->not_authoritative == f->f.servers->count ||
	    !dns_name_last_labels(f->wanted, 2, f->zone.name))
		return false;
	struct err text = *why;
	err_prefix(&text, "the zone of %.255s could not be looked up, taking %.255s", f->wanted,
	    f->zone.name);
	f->zone.warning = text.detail;
	finish(f, NULL);
	return true;
}

static void
answered(void *arg, size_t server, const struct dns_message *m, const struct err *e)
{
	struct finding *f = arg;
	struct err why;

	if (m != NULL && !f->alias) {
		f->zone.server = server;
		finish(f, NULL);
		return;
	}
	/* A CNAME record is never at the apex (RFC 1034 3.6.2): its parent is in the same zone. */
	if (m != NULL && dns_name_parent(f->asked, f->asked)) {
		f->not_authoritative = 0;
		ask(f, server);
		return;
	}
	if (e == NULL)
		err_set(&why, ERR_UPSTREAM, "a CNAME record at the root");
	else
		why = *e;
	if (guess(f, &why))
		return;
	err_prefix(&why, "looking for the zone of %.255s", f->wanted);
	finish(f, &why);
}

static void
ask(struct finding *f, size_t first)
{
	dns_ask_start(
	    &(struct dns_ask){
		.client = f->f.client,
		.servers = f->f.servers,
		.first = first,
		.timeout_ms = f->f.timeout_ms,
		.build = build,
		.accept = accept_answer,
		.done = answered,
		.arg = f,
	    },
	    &f->ask);
}

void
dns_zone_find_start(const struct dns_zone_find *find, struct op **slot)
{
	struct finding *f = xcalloc(1, sizeof(*f));

	f->f = *find;
	if (!dns_name_parse(find->name, f->wanted))
		strcpy(f->wanted, ".");
	strcpy(f->asked, f->wanted);
	f->f.name = f->wanted;
	op_begin(&f->op, slot, finding_cancel);
	ask(f, 0);
}
