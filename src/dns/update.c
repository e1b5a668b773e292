/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/update.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "dns/ask.h"
#include "dns/client.h"
#include "dns/hint.h"
#include "dns/message.h"
#include "ev/loop.h"
#include "ev/op.h"

static_assert(DNS_SERVERS_MAX <= 64, "touched has a bit for each server");

struct updating {
	struct op op;
	struct dns_update u;
	char *zone;
	char *name;
	char *value;
	uint64_t touched;
	struct op *ask;
};

static struct dns_request *
build(void *arg, size_t server, bool plain, struct err *e)
{
	struct updating *up = arg;
	struct dns_request *r = dns_request_update(
	    up->zone, up->name, up->value, up->u.add, up->u.ttl, up->u.key, clock_wall());

	if (r == NULL)
		err_set(e, ERR_INTERNAL, "not a domain name");
	return r;
}

static bool
accept_answer(void *arg, size_t server, const struct dns_message *m, struct err *e)
{
	struct updating *up = arg;
	char number[16];

	if (m->rcode == LDNS_RCODE_NOERROR) {
		up->touched |= UINT64_C(1) << server;
		return true;
	}
	return err_set(e, dns_rcode_kind(m->rcode), "%s: %s", dns_rcode_text(m->rcode, number),
	    dns_rcode_hint(m->rcode, up->u.key != NULL));
}

static void
failed(void *arg, size_t server, bool maybe_done)
{
	struct updating *up = arg;

	if (maybe_done)
		up->touched |= UINT64_C(1) << server;
}

static void
release(void *arg)
{
	struct updating *up = arg;

	free(up->zone);
	free(up->name);
	free(up->value);
	free(up);
}

static void
updating_cancel(struct op *op)
{
	struct updating *up = (struct updating *)op;

	op_cancel(&up->ask);
	loop_dispose(dns_client_loop(up->u.client), release, up);
}

static void
done(void *arg, size_t server, const struct dns_message *answer, const struct err *e)
{
	struct updating *up = arg;
	struct err why;

	if (e != NULL) {
		why = *e;
		err_prefix(&why, "UPDATE %s %.255s TXT in zone %.255s",
		    up->u.add ? "adding" : "deleting", up->name, up->zone);
	}
	op_end(&up->op);
	up->u.done(up->u.arg, up->touched, e == NULL ? NULL : &why);
	loop_dispose(dns_client_loop(up->u.client), release, up);
}

/* The original sent everything over TCP; a signed message may as well use UDP. */
static bool
wants_tcp(struct updating *up)
{
	struct dns_request *r = up->u.key == NULL ? NULL : build(up, 0, true, NULL);
	bool tcp = r == NULL || r->wire.len > DNS_UDP_PLAIN;

	dns_request_free(r);
	return tcp;
}

void
dns_update_start(const struct dns_update *update, struct op **slot)
{
	struct updating *up = xcalloc(1, sizeof(*up));

	up->u = *update;
	up->u.zone = up->zone = xstrdup(update->zone);
	up->u.name = up->name = xstrdup(update->name);
	up->u.value = up->value = xstrdup(update->value);
	op_begin(&up->op, slot, updating_cancel);
	dns_ask_start(
	    &(struct dns_ask){
		.client = update->client,
		.servers = update->servers,
		.first = update->first,
		.timeout_ms = update->timeout_ms,
		.tcp = wants_tcp(up),
		.build = build,
		.accept = accept_answer,
		.failed = failed,
		.done = done,
		.arg = up,
	    },
	    &up->ask);
}
