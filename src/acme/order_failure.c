/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why an order is given up, and when a new one is worth it. */
#include <string.h>

#include "acme/ca_private.h"
#include "acme/order_private.h"
#include "base/err_slot.h"
#include "base/log.h"

enum {
	AGAIN_MAX = 3,     /* orders that were not ours */
	DETAILS_MAX = 700, /* of several failures; further ones are only named */
};

/* The account may have gone (a test CA that was restarted, a purge): it is looked after, and if
 * that changes anything the order is placed once more. */
static bool
order_doubts_account(struct order *o, const struct err *e)
{
	bool malformed = o->state == ORDER_NEW && e->problem == PROBLEM_MALFORMED;

	if (o->account_doubted || o->finalized || o->state == ORDER_ACCOUNT)
		return false;
	return malformed || (e->kind == ERR_ACCOUNT && e->problem != PROBLEM_NONE);
}

enum order_state
order_failed(struct order *o, const struct err *e)
{
	bool silent = e->kind == ERR_TIMEOUT && o->trouble != NULL;

	err_slot_set(&o->result, silent ? o->trouble : e);
	if (!order_doubts_account(o, e))
		return ORDER_DONE;
	o->account_doubted = true;
	return ORDER_ACCOUNT;
}

/* Not ours: somebody else finalized it. */
enum order_state
order_again(struct order *o, const char *why)
{
	struct err e;

	if (o->again++ < AGAIN_MAX) {
		log_debug(&o->log, "order given up: %s", why);
		order_reset(o);
		return ORDER_ACCOUNT;
	}
	err_set(
	    &e, ERR_UPSTREAM, "%s keeps giving us an order that is not ours: %s", o->ca->host, why);
	return order_failed(o, &e);
}

enum order_state
order_invalid(struct order *o)
{
	struct err e;

	if (o->object.error != NULL)
		problem_err(o->object.error, PLACE_ISSUANCE, o->ca->host, &e);
	else
		err_set(&e, ERR_UPSTREAM, "%s says it is %s and gives no reason", o->ca->host,
		    acme_status_name(o->object.status));
	err_prefix(&e, "order");
	return order_failed(o, &e);
}

/* Several failures become one: the worst kind counts, each name is listed while there is room. */
void
order_collect(struct order *o, const char *name, const struct err *e)
{
	const struct err *r = o->result;
	struct err both;
	enum err_kind kind;
	bool room;

	if (r == NULL) {
		err_slot_set(&o->result, e);
		return;
	}
	room = strlen(r->detail) + strlen(e->detail) < DETAILS_MAX;
	kind = err_kind_worse(r->kind, e->kind);
	err_set(&both, kind, "%s; %s", r->detail, room || name[0] == '\0' ? e->detail : name);
	both.problem = kind == r->kind ? r->problem : e->problem;
	both.retry_after = r->retry_after > e->retry_after ? r->retry_after : e->retry_after;
	err_slot_set(&o->result, &both);
}
