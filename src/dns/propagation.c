/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/propagation.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "dns/authority.h"
#include "dns/client.h"
#include "dns/propagation_private.h"
#include "ev/loop.h"
#include "ev/timer.h"

enum {
	PATIENCE_MS = 5000, /* then a warning says whom we wait for */
	TEXT_MAX = 700,
};

/* ---- life ---- */

static void
release(void *arg)
{
	struct watch *w = arg;

	for (size_t i = 0; i < w->target_count; i++)
		dns_servers_done(&w->targets[i].server);
	free(w->without_address);
	free(w->zone);
	free(w->name);
	free(w->value);
	free(w);
}

static void
watch_free(struct watch *w)
{
	op_cancel(&w->authorities);
	for (size_t i = 0; i < w->target_count; i++) {
		op_cancel(&w->targets[i].question);
		timer_free(w->targets[i].timer);
	}
	timer_free(w->deadline);
	timer_free(w->patience);
	loop_dispose(dns_client_loop(w->p.client), release, w);
}

static void
watch_cancel(struct op *op)
{
	watch_free((struct watch *)op);
}

void
watch_finish(struct watch *w, const struct err *e)
{
	op_end(&w->op);
	w->p.done(w->p.arg, e);
	watch_free(w);
}

static void
warn(const struct watch *w, const char *text)
{
	if (w->p.warn != NULL)
		w->p.warn(w->p.arg, text);
}

/* ---- what is known ---- */

static bool
authority_serves(const struct watch *w, size_t authority)
{
	for (size_t i = 0; i < w->target_count; i++)
		if (w->targets[i].authority == authority && w->targets[i].state == TARGET_SERVES)
			return true;
	return false;
}

/* "ns2 (192.0.2.2), ns3 (192.0.2.3): REFUSED" of the targets in that state. */
static void
list_state(const struct watch *w, enum target_state state, char out[TEXT_MAX])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < w->target_count && len < TEXT_MAX; i++) {
		const struct target *t = &w->targets[i];
		if (t->state != state)
			continue;
		len += (size_t)snprintf(out + len, TEXT_MAX - len, "%s%s", len > 0 ? ", " : "",
		    state == TARGET_LAME ? t->error.detail : t->server.items[0].text);
	}
}

void
watch_warn_passed_over(const struct watch *w)
{
	if (w->without_address != NULL)
		warn(w, w->without_address);
	for (size_t i = 0; i < w->target_count; i++) {
		const struct target *t = &w->targets[i];
		if (t->state != TARGET_LAME || authority_serves(w, t->authority))
			continue;
		char *text = xasprintf("name server passed over in the propagation check of %s: %s",
		    w->name, t->error.detail);
		warn(w, text);
		free(text);
	}
}

/* ---- the start ---- */

static void
note_without_address(struct watch *w, const struct dns_authority *a)
{
	char *text = xasprintf("%s%s%.255s", w->without_address != NULL ? w->without_address : "",
	    w->without_address != NULL ? ", " : "name servers without an address: ", a->name);

	free(w->without_address);
	w->without_address = text;
}

static void
found(void *arg, const struct dns_authorities *found, const struct err *e)
{
	struct watch *w = arg;

	if (found == NULL) {
		w->without_address =
		    xasprintf("the name servers of %s cannot be found: %s", w->zone, e->detail);
		watch_add_fallback(w);
		return;
	}
	w->authority_count = found->count;
	for (size_t i = 0; i < found->count; i++) {
		const struct dns_authority *a = &found->items[i];
		if (a->addresses.count == 0)
			note_without_address(w, a);
		for (size_t j = 0; j < a->addresses.count; j++)
			if (!watch_has_target(w, &a->addresses.items[j]))
				watch_add_target(w, &a->addresses.items[j], i);
	}
	if (w->target_count == 0)
		watch_add_fallback(w);
	for (size_t i = 0; i < w->target_count; i++)
		if (w->targets[i].question == NULL)
			watch_poll(&w->targets[i]);
}

static void
too_late(void *arg)
{
	struct watch *w = arg;
	char list[TEXT_MAX];
	struct err e;

	list_state(w, TARGET_LAGS, list);
	if (list[0] != '\0') {
		err_set(&e, ERR_UPSTREAM,
		    "after %lld s the TXT record of %.255s is still missing at %s",
		    (long long)(w->p.total_ms / 1000), w->name, list);
	} else {
		list_state(w, TARGET_LAME, list);
		err_set(&e, ERR_UNREACHABLE,
		    "no authoritative server of %.255s can be asked for the TXT record of "
		    "%.255s%s%s",
		    w->zone, w->name, list[0] != '\0' ? ": " : "", list);
	}
	watch_finish(w, &e);
}

static void
impatient(void *arg)
{
	struct watch *w = arg;
	char list[TEXT_MAX];

	list_state(w, TARGET_LAGS, list);
	if (list[0] == '\0')
		return;
	char *text = xasprintf("still waiting for the TXT record of %s at %s", w->name, list);
	warn(w, text);
	free(text);
}

void
dns_propagation_start(const struct dns_propagation *p, struct op **slot)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	struct loop *loop = dns_client_loop(p->client);

	w->p = *p;
	w->p.zone = w->zone = xstrdup(p->zone);
	w->p.name = w->name = xstrdup(p->name);
	w->p.value = w->value = xstrdup(p->value);
	w->deadline = timer_new(loop, too_late, w);
	w->patience = timer_new(loop, impatient, w);
	timer_start(w->deadline, p->total_ms);
	timer_start(w->patience, PATIENCE_MS);
	op_begin(&w->op, slot, watch_cancel);
	dns_authority_find_start(
	    &(struct dns_authority_find){
		.client = p->client,
		.resolvers = p->resolvers,
		.servers = p->servers,
		.timeout_ms = p->timeout_ms,
		.zone = w->zone,
		.done = found,
		.arg = w,
	    },
	    &w->authorities);
}
