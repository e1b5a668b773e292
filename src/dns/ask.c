/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/client.h"
#include "dns/exchange.h"
#include "dns/message.h"
#include "ev/loop.h"
#include "ev/op.h"

struct asking {
	struct op op;
	struct dns_ask ask;
	size_t asked; /* servers that are done with */
	bool plain;   /* this one is asked without EDNS */
	bool said;    /* errors has the words of at least one */
	struct err errors;
	struct op *exchange;
	struct task next; /* so that nothing completes before the start returned */
};

static void ask_next(void *arg);

static struct loop *
loop_of(const struct asking *a)
{
	return dns_client_loop(a->ask.client);
}

static size_t
server_of(const struct asking *a)
{
	return (a->ask.first + a->asked) % a->ask.servers->count;
}

static void
asking_free(struct asking *a)
{
	op_cancel(&a->exchange);
	task_cancel(&a->next);
	loop_dispose(loop_of(a), free, a);
}

static void
asking_cancel(struct op *op)
{
	asking_free((struct asking *)op);
}

/* "A: refused; B: no answer in time". What has to be mended by people outranks the rest, and an
 * answer outranks silence. */
static void
collect(struct asking *a, const struct err *e)
{
	struct err one = *e;

	err_prefix(&one, "%s", a->ask.servers->items[server_of(a)].text);
	if (!a->said) {
		a->errors = one;
		a->said = true;
		return;
	}
	enum err_kind kind = a->errors.kind;
	if (kind == ERR_UNREACHABLE || one.kind == ERR_CONFIG)
		kind = one.kind;
	struct err joined;
	err_set(&joined, kind, "%.480s; %.480s", a->errors.detail, one.detail);
	a->errors = joined;
}

static void
server_failed(struct asking *a, const struct err *e, bool maybe_done)
{
	collect(a, e);
	if (a->ask.failed != NULL)
		a->ask.failed(a->ask.arg, server_of(a), maybe_done);
	a->asked++;
	a->plain = false;
	task_post(loop_of(a), &a->next, ask_next, a);
}

static void
finish(struct asking *a, const struct dns_message *answer)
{
	size_t server = answer == NULL ? 0 : server_of(a);

	op_end(&a->op);
	a->ask.done(a->ask.arg, server, answer, answer == NULL ? &a->errors : NULL);
	asking_free(a);
}

/* RFC 6891 7: a server that does not know EDNS says FORMERR (or NOTIMP), and sends none itself. */
static bool
knows_no_edns(const struct asking *a, const struct dns_message *m)
{
	return !a->plain && !m->edns &&
	    (m->rcode == LDNS_RCODE_FORMERR || m->rcode == LDNS_RCODE_NOTIMPL);
}

static void
exchanged(void *arg, struct dns_exchange_result *result)
{
	struct asking *a = arg;
	struct dns_message *m = result->answer;
	struct err e;

	if (m == NULL) {
		server_failed(a, &result->error, result->maybe_done);
	} else if (knows_no_edns(a, m)) {
		a->plain = true;
		task_post(loop_of(a), &a->next, ask_next, a);
	} else if (a->ask.accept(a->ask.arg, server_of(a), m, &e)) {
		finish(a, m);
	} else {
		server_failed(a, &e, false);
	}
	dns_message_free(m);
}

static void
ask_next(void *arg)
{
	struct asking *a = arg;
	struct dns_request *request;
	struct err e;

	if (a->asked == a->ask.servers->count) {
		if (!a->said)
			err_set(&a->errors, ERR_CONFIG, "there is no name server to ask");
		finish(a, NULL);
		return;
	}
	request = a->ask.build(a->ask.arg, server_of(a), a->plain, &e);
	if (request == NULL) {
		server_failed(a, &e, false);
		return;
	}
	dns_exchange_start(a->ask.client, &a->ask.servers->items[server_of(a)], request, a->ask.tcp,
	    a->ask.timeout_ms, exchanged, a, &a->exchange);
}

void
dns_ask_start(const struct dns_ask *ask, struct op **slot)
{
	struct asking *a = xcalloc(1, sizeof(*a));

	a->ask = *ask;
	op_begin(&a->op, slot, asking_cancel);
	task_post(loop_of(a), &a->next, ask_next, a);
}
