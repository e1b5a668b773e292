/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The authorizations of an order, side by side: the order counts them down. */
#include <string.h>

#include "acme/account.h"
#include "acme/authorization.h"
#include "acme/ca_private.h"
#include "acme/order_private.h"
#include "base/alloc.h"
#include "base/err_slot.h"
#include "ev/loop.h"
#include "ev/timer.h"

void
order_cancel_children(struct order *o)
{
	for (size_t i = 0; i < o->child_count; i++)
		op_cancel(&o->children[i].op);
	o->running = 0;
	o->on_the_way = 0;
}

/* Every answer of the order can be had: now the CA may look. */
static void
order_tell(struct order *o)
{
	for (size_t i = 0; i < o->child_count; i++) {
		struct order_child *c = &o->children[i];

		if (!c->gathered)
			continue;
		c->gathered = false;
		o->on_the_way++;
		authorization_tell(c->op);
	}
}

/* The account's key is another than when the order was placed: what is presented names the old one,
 * and the CA would refuse it. */
static bool
order_outdated(const struct order *o)
{
	return o->generation != account_generation(o->ca->account);
}

static enum order_state
order_present_anew(struct order *o)
{
	return order_again(o, "the account was changed before the challenges were answered");
}

static void
order_outdated_task(void *arg)
{
	struct order *o = arg;

	if (o->state == ORDER_AUTHORIZE && o->on_the_way == 0)
		order_move(o, order_present_anew(o));
}

/* The child is on the stack: it must not be cancelled here. */
static bool
order_presented(void *arg)
{
	struct order_child *c = arg;
	struct order *o = c->order;
	bool last = o->on_the_way == 1 && o->state == ORDER_AUTHORIZE;

	if (last && !order_outdated(o)) {
		order_tell(o);
		return true;
	}
	c->gathered = true;
	o->on_the_way--;
	if (last)
		task_post(o->ca->loop, &o->task, order_outdated_task, o);
	else if (o->on_the_way == 0) /* nobody is left who could report a failure too */
		timer_start(o->timer, 0);
	return false;
}

/* Others of this order may fail for the same reason within moments: better told all at once. */
static bool
worth_settling(const struct order *o, const struct err *e)
{
	return o->on_the_way > 0 && (e->kind == ERR_VALIDATION || e->kind == ERR_FORBIDDEN);
}

static enum order_state
order_child_failed(struct order *o, const char *name, const struct err *e)
{
	if (o->state == ORDER_AUTHORIZE && !worth_settling(o, e))
		return order_failed(o, e);
	order_collect(o, name, e);
	return o->on_the_way > 0 ? ORDER_SETTLE : ORDER_DONE;
}

/* All that are left, if any, have presented their answers. */
static enum order_state
order_nobody_on_the_way(struct order *o)
{
	if (o->state != ORDER_AUTHORIZE)
		return ORDER_DONE;
	if (o->running > 0 && order_outdated(o))
		return order_present_anew(o);
	if (o->running > 0) {
		order_tell(o);
		return ORDER_AUTHORIZE;
	}
	o->authorized = true;
	return ORDER_POLL;
}

static void order_trouble(void *arg, const struct err *e);

static void
order_step(void *arg, const char *name, enum acme_step step)
{
	const struct order_child *c = arg;
	const struct order *o = c->order;

	if (o->conf.step != NULL)
		o->conf.step(o->arg, name, step);
}

static void
authorized(void *arg, const char *name, const struct err *e)
{
	struct order_child *c = arg;
	struct order *o = c->order;

	o->running--;
	o->on_the_way -= !c->gathered;
	c->gathered = false;
	order_step(c, name, e == NULL ? ACME_STEP_VALID : ACME_STEP_FAILED);
	if (e == NULL)
		order_trouble(c, NULL);
	if (o->state == ORDER_DONE)
		return;
	if (e != NULL)
		order_move(o, order_child_failed(o, name, e));
	else if (o->on_the_way == 0)
		order_move(o, order_nobody_on_the_way(o));
}

static void
order_trouble(void *arg, const struct err *e)
{
	struct order_child *c = arg;
	struct order *o = c->order;
	bool before = o->troubled > 0;

	o->troubled -= c->trouble;
	c->trouble = e != NULL;
	o->troubled += c->trouble;
	if (e != NULL || o->troubled == 0)
		err_slot_set(&o->trouble, e);
	if (o->conf.challenge_error != NULL && (e != NULL || (before && o->troubled == 0)))
		o->conf.challenge_error(o->arg, e);
}

static bool
listed_before(const struct order *o, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(o->object.authorizations[k], o->object.authorizations[i]) == 0)
			return true;
	return false;
}

enum order_state
order_enter_authorize(struct order *o)
{
	struct authorization_conf conf = {
	    .asked = &o->conf.csr->names,
	    .solver = o->conf.solver,
	    .deadline = o->deadline,
	    .presented = order_presented,
	    .trouble = order_trouble,
	    .step = order_step,
	};

	o->child_count = o->object.authorization_count;
	o->children = xcalloc(o->child_count + 1, sizeof(*o->children));
	for (size_t i = 0; i < o->child_count; i++) {
		o->children[i].order = o;
		if (listed_before(o, i))
			continue;
		conf.url = o->object.authorizations[i];
		o->running++;
		o->on_the_way++;
		authorization_start(o->ca, &conf, authorized, &o->children[i], &o->children[i].op);
	}
	o->authorized = o->running == 0;
	return o->authorized ? ORDER_POLL : ORDER_AUTHORIZE;
}
