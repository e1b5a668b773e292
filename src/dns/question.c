/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An ordinary question: dns_question_start of dns/ask.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "dns/ask.h"
#include "dns/client.h"
#include "dns/message.h"
#include "ev/loop.h"
#include "ev/op.h"

struct asked_question {
	struct op op;
	struct dns_question q;
	char name[DNS_NAME_TEXT];
	struct op *ask;
};

static struct dns_request *
build(void *arg, size_t server, bool plain, struct err *e)
{
	struct asked_question *a = arg;
	struct dns_request *r = dns_request_query(
	    a->name, (ldns_rr_type)a->q.type, a->q.servers->items[server].recursive, !plain);

	if (r == NULL)
		err_set(e, ERR_INTERNAL, "\"%.255s\" is not a domain name", a->name);
	return r;
}

static bool
accept_answer(void *arg, size_t server, const struct dns_message *m, struct err *e)
{
	struct asked_question *a = arg;
	char number[16];

	if (m->rcode != LDNS_RCODE_NOERROR && m->rcode != LDNS_RCODE_NXDOMAIN)
		return err_set(
		    e, ERR_UPSTREAM, "%s for %.255s", dns_rcode_text(m->rcode, number), a->name);
	if (!m->aa && !a->q.servers->items[server].recursive)
		return err_set(e, ERR_CONFIG, "it is not authoritative for %.255s", a->name);
	return a->q.accept == NULL || a->q.accept(a->q.arg, server, m, e);
}

static void
question_free(struct asked_question *a)
{
	op_cancel(&a->ask);
	loop_dispose(dns_client_loop(a->q.client), free, a);
}

static void
question_cancel(struct op *op)
{
	question_free((struct asked_question *)op);
}

static void
question_done(void *arg, size_t server, const struct dns_message *m, const struct err *e)
{
	struct asked_question *a = arg;

	op_end(&a->op);
	a->q.done(a->q.arg, server, m, e);
	question_free(a);
}

void
dns_question_start(const struct dns_question *question, struct op **slot)
{
	struct asked_question *a = xcalloc(1, sizeof(*a));

	a->q = *question;
	snprintf(a->name, sizeof(a->name), "%s", question->name);
	a->q.name = a->name;
	op_begin(&a->op, slot, question_cancel);
	dns_ask_start(
	    &(struct dns_ask){
		.client = question->client,
		.servers = question->servers,
		.first = question->first,
		.timeout_ms = question->timeout_ms,
		.build = build,
		.accept = accept_answer,
		.done = question_done,
		.arg = a,
	    },
	    &a->ask);
}
