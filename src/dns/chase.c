/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/chase.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/ask.h"
#include "dns/client.h"
#include "dns/message.h"
#include "ev/loop.h"
#include "ev/op.h"

struct chasing {
	struct op op;
	struct dns_chase c;
	struct dns_servers order; /* whom to ask about the current name */
	char name[DNS_NAME_TEXT];
	char *seen[DNS_CHASE_MAX];
	size_t seen_count;
	struct op *question;
};

static void ask(struct chasing *c);

static void
release(void *arg)
{
	struct chasing *c = arg;

	for (size_t i = 0; i < c->seen_count; i++)
		free(c->seen[i]);
	dns_servers_done(&c->order);
	free(c);
}

static void
chasing_cancel(struct op *op)
{
	struct chasing *c = (struct chasing *)op;

	op_cancel(&c->question);
	loop_dispose(dns_client_loop(c->c.client), release, c);
}

static void
finish(struct chasing *c, const struct err *e)
{
	op_end(&c->op);
	c->c.done(c->c.arg, e == NULL ? c->name : NULL, e);
	loop_dispose(dns_client_loop(c->c.client), release, c);
}

/* The name that a record of the answer sends us to; false if it says nothing about name. */
static bool
follow(const ldns_rr *rr, const char *name, char out[DNS_NAME_TEXT])
{
	char owner[DNS_NAME_TEXT];
	char target[DNS_NAME_TEXT];

	if (!dns_rr_owner(rr, owner) || !dns_rr_name(rr, 0, target))
		return false;
	if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNAME)
		return dns_name_replace(name, owner, target, out);
	if (!dns_name_equal(owner, name))
		return false;
	strcpy(out, target);
	return true;
}

/* One link. A CNAME made from a DNAME says the same as the DNAME; some servers send only that. */
static bool
next_link(const struct dns_message *m, const char *name, char out[DNS_NAME_TEXT])
{
	static const ldns_rr_type types[] = {LDNS_RR_TYPE_CNAME, LDNS_RR_TYPE_DNAME};
	const ldns_rr *rr;

	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
		for (size_t i = 0;
		     (rr = dns_message_find(m, LDNS_SECTION_ANSWER, types[t], i)) != NULL; i++)
			if (follow(rr, name, out))
				return true;
	return false;
}

/* Remembers the name; false with e if it was met before or the chain is too long. */
static bool
visit(struct chasing *c, struct err *e)
{
	for (size_t i = 0; i < c->seen_count; i++)
		if (strcmp(c->seen[i], c->name) == 0)
			return err_set(e, ERR_CONFIG,
			    "the CNAME records of %.255s form a loop (at %.255s)", c->seen[0],
			    c->name);
	if (c->seen_count == DNS_CHASE_MAX)
		return err_set(e, ERR_CONFIG,
		    "the chain of CNAME records of %.255s is longer than %d", c->seen[0],
		    DNS_CHASE_MAX);
	c->seen[c->seen_count++] = xstrdup(c->name);
	return true;
}

static void
answered(void *arg, size_t server, const struct dns_message *m, const struct err *e)
{
	struct chasing *c = arg;
	char next[DNS_NAME_TEXT];
	struct err why;

	if (m == NULL) {
		why = *e;
		err_prefix(&why, "looking for a CNAME record at %.255s", c->name);
		finish(c, &why);
		return;
	}
	if (!next_link(m, c->name, next)) {
		finish(c, NULL);
		return;
	}
	strcpy(c->name, next);
	if (visit(c, &why))
		ask(c);
	else
		finish(c, &why);
}

static void
ask(struct chasing *c)
{
	bool ours = c->c.zone != NULL && dns_name_within(c->name, c->c.zone);

	dns_servers_done(&c->order);
	dns_servers_join(&c->order, ours ? c->c.servers : c->c.resolvers);
	dns_servers_join(&c->order, ours ? c->c.resolvers : c->c.servers);
	dns_question_start(
	    &(struct dns_question){
		.client = c->c.client,
		.servers = &c->order,
		.timeout_ms = c->c.timeout_ms,
		.name = c->name,
		.type = LDNS_RR_TYPE_CNAME,
		.done = answered,
		.arg = c,
	    },
	    &c->question);
}

void
dns_chase_start(const struct dns_chase *chase, struct op **slot)
{
	struct chasing *c = xcalloc(1, sizeof(*c));

	c->c = *chase;
	op_begin(&c->op, slot, chasing_cancel);
	if (!dns_name_parse(chase->name, c->name))
		strcpy(c->name, ".");
	c->c.name = c->name;
	visit(c, NULL);
	ask(c);
}
