/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authz.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"
#include "ca.h"
#include "options.h"

enum { ORDER_LIFE = 7 * 86400 };

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Account, profile and names in an order of their own. */
static char *
order_key(const struct account *account, const struct order_wish *wish)
{
	char **names = xcalloc(wish->count, sizeof(*names));
	struct buf key;

	for (size_t i = 0; i < wish->count; i++)
		names[i] = wish->identifiers[i].value;
	qsort(names, wish->count, sizeof(*names), by_text);
	buf_init(&key, 1 << 20);
	buf_addf(&key, "%llu %s", (unsigned long long)account->id,
	    wish->profile != NULL ? wish->profile : "");
	for (size_t i = 0; i < wish->count; i++)
		buf_addf(&key, " %s", names[i]);
	free(names);
	return buf_take(&key, NULL);
}

struct order *
order_open(const struct call *c, const struct order_wish *wish)
{
	char *key = order_key(c->account, wish);
	struct order *o = map_get(c->ca->state.open_orders, key, strlen(key));

	free(key);
	return o != NULL && (o->status == STATUS_PENDING || o->status == STATUS_READY) ? o : NULL;
}

static char *
copy(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

static enum status
told_status(const struct fault *f)
{
	const char *name = fault_string(f, "order", "pending");

	return strcmp(name, "ready") == 0  ? STATUS_READY
	    : strcmp(name, "invalid") == 0 ? STATUS_INVALID
					   : STATUS_PENDING;
}

static void
add_authorizations(struct call *c, struct order *o)
{
	const struct fault *none = call_fault(c, FAULT_NO_AUTHORIZATIONS);
	const struct fault *invalid = call_fault(c, FAULT_AUTHZ_INVALID);

	if (none != NULL) {
		o->status = told_status(none);
		o->stay_pending = -1;
		return;
	}
	o->authz = xcalloc(o->count, sizeof(*o->authz));
	for (size_t i = 0; i < o->count; i++)
		o->authz[o->authz_count++] = authz_new(c, o, &o->identifiers[i])->id;
	if (invalid != NULL) {
		authz_spoil(c->ca, table_get(&c->ca->state.authz, o->authz[0]));
		o->status = told_status(invalid);
		o->stay_pending = -1;
	}
}

struct order *
order_new(struct call *c, const struct order_wish *wish)
{
	const struct fault *stays = call_fault(c, FAULT_STAYS_PENDING);
	struct order *o = xcalloc(1, sizeof(*o));
	struct state *state = &c->ca->state;

	o->account = c->account;
	o->identifiers = wish->identifiers;
	o->count = wish->count;
	o->profile = copy(wish->profile);
	o->replaces = copy(wish->replaces);
	o->expires = clock_wall() + ORDER_LIFE;
	o->key = order_key(c->account, wish);
	if (stays != NULL)
		o->stay_pending = fault_number(stays, "polls", -1);
	o->id = table_add(&state->orders, o);
	map_put(state->open_orders, o->key, strlen(o->key), o);
	c->account->orders++;
	add_authorizations(c, o);
	order_refresh(c->ca, o, false);
	return o;
}

/* What the authorizations say about a pending order. */
static enum status
sum_up(const struct ca *ca, const struct order *o)
{
	size_t valid = 0;

	for (size_t i = 0; i < o->authz_count; i++) {
		const struct authz *a = table_get(&ca->state.authz, o->authz[i]);

		if (a->status == STATUS_INVALID || a->status == STATUS_DEACTIVATED)
			return STATUS_INVALID;
		valid += a->status == STATUS_VALID;
	}
	return valid == o->authz_count ? STATUS_READY : STATUS_PENDING;
}

static void
refresh_pending(const struct ca *ca, struct order *o, bool polled)
{
	enum status next = sum_up(ca, o);

	if (next == STATUS_READY && o->stay_pending != 0) {
		if (polled && o->stay_pending > 0)
			o->stay_pending--;
		return;
	}
	if (o->authz_count > 0 && !(next == STATUS_INVALID && o->stay_pending < 0))
		o->status = next;
}

static void
refresh_processing(struct order *o, bool polled)
{
	if (o->fate == FATE_NEVER || clock_mono_ms() < o->ready_at)
		return;
	if (o->polls_left > 0) {
		o->polls_left -= polled;
		return;
	}
	o->status = o->fate == FATE_INVALID ? STATUS_INVALID : STATUS_VALID;
}

void
order_refresh(struct ca *ca, struct order *o, bool polled)
{
	if (o->status == STATUS_PENDING)
		refresh_pending(ca, o, polled);
	else if (o->status == STATUS_PROCESSING)
		refresh_processing(o, polled);
}

json_t *
identifier_json(const struct identifier *i)
{
	return json_pack(
	    "{s:s, s:s}", "type", i->kind == IDENTIFIER_IP ? "ip" : "dns", "value", i->value);
}

static json_t *
url_json(const struct ca *ca, const char *path, uint64_t number)
{
	return json_sprintf("%s/%s/%llu", ca->url, path, (unsigned long long)number);
}

json_t *
time_json(int64_t when)
{
	time_t t = (time_t)when;
	char text[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

static void
set_optional(json_t *object, const char *name, const char *text)
{
	if (text != NULL)
		json_object_set_new(object, name, json_string(text));
}

json_t *
order_json(const struct ca *ca, const struct order *o)
{
	json_t *object = json_object(), *names = json_array(), *authz = json_array();

	for (size_t i = 0; i < o->count; i++)
		json_array_append_new(names, identifier_json(&o->identifiers[i]));
	for (size_t i = 0; i < o->authz_count; i++)
		json_array_append_new(authz, url_json(ca, "authz", o->authz[i]));
	set_optional(object, "status", status_name(o->status));
	json_object_set_new(object, "expires", time_json(o->expires));
	json_object_set_new(object, "identifiers", names);
	json_object_set_new(object, "authorizations", authz);
	json_object_set_new(object, "finalize", url_json(ca, "finalize", o->id));
	set_optional(object, "profile", o->profile);
	set_optional(object, "replaces", o->replaces);
	if (o->error != NULL && o->status == STATUS_INVALID)
		json_object_set(object, "error", o->error);
	if (o->cert != 0 && o->status == STATUS_VALID)
		json_object_set_new(object, "certificate", url_json(ca, "cert", o->cert));
	return object;
}

void
order_answer(struct call *c, int status, const struct order *o)
{
	answer_json(c->answer, status, order_json(c->ca, o));
	answer_header(
	    c->answer, "Location", "%s/order/%llu", c->ca->url, (unsigned long long)o->id);
	if (c->ca->options->retry_after > 0 && o->status == STATUS_PROCESSING)
		answer_header(c->answer, "Retry-After", "%ld", c->ca->options->retry_after);
}
