/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "state.h"

#include <stdlib.h>

#include "base/map.h"
#include "jwk.h"

static void
account_free(void *object)
{
	struct account *a = object;

	jwk_free(a->key);
	json_decref(a->contact);
	json_decref(a->binding);
	free(a);
}

static void
order_free(void *object)
{
	struct order *o = object;

	for (size_t i = 0; i < o->count; i++)
		free(o->identifiers[i].value);
	free(o->identifiers);
	free(o->authz);
	free(o->key);
	free(o->profile);
	free(o->replaces);
	json_decref(o->error);
	free(o);
}

static void
authz_free(void *object)
{
	struct authz *a = object;

	for (size_t i = 0; i < a->challenge_count; i++) {
		free(a->challenges[i].type);
		json_decref(a->challenges[i].error);
	}
	free(a->identifier.value);
	free(a);
}

static void
cert_free(void *object)
{
	struct cert *c = object;

	buf_done(&c->der);
	buf_done(&c->spki_bytes);
	free(c);
}

void
state_init(struct state *s)
{
	table_init(&s->accounts);
	table_init(&s->orders);
	table_init(&s->authz);
	table_init(&s->certs);
	s->by_thumbprint = map_new();
	s->by_serial = map_new();
	s->open_orders = map_new();
}

void
state_done(struct state *s)
{
	table_done(&s->accounts, account_free);
	table_done(&s->orders, order_free);
	table_done(&s->authz, authz_free);
	table_done(&s->certs, cert_free);
	map_free(s->by_thumbprint);
	map_free(s->by_serial);
	map_free(s->open_orders);
}

void
state_forget(struct state *s)
{
	table_clear(&s->accounts, account_free);
	table_clear(&s->orders, order_free);
	table_clear(&s->authz, authz_free);
	table_clear(&s->certs, cert_free);
	map_free(s->by_thumbprint);
	map_free(s->by_serial);
	map_free(s->open_orders);
	s->by_thumbprint = map_new();
	s->by_serial = map_new();
	s->open_orders = map_new();
}

const char *
status_name(enum status s)
{
	static const char *const names[] = {
	    [STATUS_PENDING] = "pending",
	    [STATUS_READY] = "ready",
	    [STATUS_PROCESSING] = "processing",
	    [STATUS_VALID] = "valid",
	    [STATUS_INVALID] = "invalid",
	    [STATUS_DEACTIVATED] = "deactivated",
	};

	return names[s];
}
