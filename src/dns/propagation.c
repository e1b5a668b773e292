/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/propagation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "dns/ask.h"
#include "dns/authority.h"
#include "dns/client.h"
#include "dns/message.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"

enum {
	TARGETS_MAX = 32,
	FIRST_DELAY_MS =
	    100, /* doubled up to the last: a transfer after NOTIFY takes less than 1 s */
	LAST_DELAY_MS = 2000,
	POLL_TIMEOUT_MS = 3000,
	PATIENCE_MS = 5000, /* then a warning says whom we wait for */
	TEXT_MAX = 700,
};

enum target_state {
	TARGET_UNKNOWN, /* not answered yet */
	TARGET_SERVES,
	TARGET_LAGS, /* authoritative, without our value */
	TARGET_LAME, /* lame or not reached */
};

struct watch;

/* One address of one name server. */
struct target {
	struct watch *w;
	size_t authority; /* addresses with the same number are one server */
	struct dns_servers server;
	enum target_state state;
	struct err error; /* of TARGET_LAME */
	int64_t delay_ms;
	struct op *question;
	struct timer *timer;
};

struct watch {
	struct op op;
	struct dns_propagation p;
	char *zone, *name, *value;
	struct target targets[TARGETS_MAX];
	size_t target_count;
	size_t authority_count;
	char *without_address; /* a line about name servers that have none */
	bool fallback;         /* the update server itself is among the targets */
	struct op *authorities;
	struct timer *deadline, *patience;
};

static void poll_target(void *arg);

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

static void
finish(struct watch *w, const struct err *e)
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

static size_t
count_state(const struct watch *w, enum target_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < w->target_count; i++)
		n += w->targets[i].state == state;
	return n;
}

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

static void
warn_passed_over(const struct watch *w)
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

/* ---- the servers ---- */

static struct target *
add_target(struct watch *w, const struct dns_server *server, size_t authority)
{
	if (w->target_count == TARGETS_MAX)
		return NULL;
	struct target *t = &w->targets[w->target_count++];
	t->w = w;
	t->authority = authority;
	t->delay_ms = FIRST_DELAY_MS;
	t->timer = timer_new(dns_client_loop(w->p.client), poll_target, t);
	dns_servers_append(&t->server, server);
	return t;
}

static bool
is_target(const struct watch *w, const struct dns_server *s)
{
	for (size_t i = 0; i < w->target_count; i++) {
		const struct host_port *at = &w->targets[i].server.items[0].at;
		if (at->port == s->at.port && strcmp(at->host, s->at.host) == 0)
			return true;
	}
	return false;
}

/* Nobody else can be asked: the server that took the update has to vouch for it. */
static void
add_fallback(struct watch *w)
{
	const struct dns_server *s = &w->p.servers->items[w->p.server];
	struct target *t;

	w->fallback = true;
	if (is_target(w, s))
		return;
	t = add_target(w, s, w->authority_count++);
	if (t != NULL)
		poll_target(t);
}

static void
assess(struct watch *w)
{
	if (count_state(w, TARGET_UNKNOWN) > 0 || count_state(w, TARGET_LAGS) > 0)
		return;
	if (count_state(w, TARGET_SERVES) == 0) {
		if (!w->fallback)
			add_fallback(w);
		return;
	}
	warn_passed_over(w);
	finish(w, NULL);
}

static bool
serves(const struct watch *w, const struct dns_message *m)
{
	const ldns_rr *rr;

	for (size_t i = 0;
	     (rr = dns_message_find(m, LDNS_SECTION_ANSWER, LDNS_RR_TYPE_TXT, i)) != NULL; i++)
		if (dns_rr_is_txt(rr, w->name, w->value))
			return true;
	return false;
}

static void
answered(void *arg, size_t server, const struct dns_message *m, const struct err *e)
{
	struct target *t = arg;
	struct watch *w = t->w;

	if (m == NULL) {
		t->state = TARGET_LAME;
		t->error = *e;
	} else {
		t->state = serves(w, m) ? TARGET_SERVES : TARGET_LAGS;
	}
	/* The lame are asked again too: they may come back while we wait for others. */
	if (t->state != TARGET_SERVES) {
		timer_start(t->timer, t->delay_ms);
		t->delay_ms = t->delay_ms * 2 < LAST_DELAY_MS ? t->delay_ms * 2 : LAST_DELAY_MS;
	}
	assess(w);
}

static void
poll_target(void *arg)
{
	struct target *t = arg;
	const struct dns_propagation *p = &t->w->p;

	dns_question_start(
	    &(struct dns_question){
		.client = p->client,
		.servers = &t->server,
		.timeout_ms = p->timeout_ms < POLL_TIMEOUT_MS ? p->timeout_ms : POLL_TIMEOUT_MS,
		.name = p->name,
		.type = LDNS_RR_TYPE_TXT,
		.done = answered,
		.arg = t,
	    },
	    &t->question);
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
		add_fallback(w);
		return;
	}
	w->authority_count = found->count;
	for (size_t i = 0; i < found->count; i++) {
		const struct dns_authority *a = &found->items[i];
		if (a->addresses.count == 0)
			note_without_address(w, a);
		for (size_t j = 0; j < a->addresses.count; j++)
			if (!is_target(w, &a->addresses.items[j]))
				add_target(w, &a->addresses.items[j], i);
	}
	if (w->target_count == 0)
		add_fallback(w);
	for (size_t i = 0; i < w->target_count; i++)
		if (w->targets[i].question == NULL)
			poll_target(&w->targets[i]);
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
	finish(w, &e);
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
