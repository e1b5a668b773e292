/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The authoritative servers of a propagation check: each asked until it serves the value, and all
 * of them assessed after each answer. */
#include <string.h>

#include "dns/ask.h"
#include "dns/client.h"
#include "dns/message.h"
#include "dns/propagation_private.h"
#include "ev/timer.h"

enum {
	FIRST_DELAY_MS = 100, /* a transfer after NOTIFY takes less than a second */
	LAST_DELAY_MS = 2000, /* doubled up to this */
	POLL_TIMEOUT_MS = 3000,
};

struct target *
watch_add_target(struct watch *w, const struct dns_server *server, size_t authority)
{
	if (w->target_count == WATCH_TARGETS_MAX)
		return NULL;
	struct target *t = &w->targets[w->target_count++];
	t->w = w;
	t->authority = authority;
	t->delay_ms = FIRST_DELAY_MS;
	t->timer = timer_new(dns_client_loop(w->p.client), watch_poll, t);
	dns_servers_append(&t->server, server);
	return t;
}

bool
watch_has_target(const struct watch *w, const struct dns_server *s)
{
	for (size_t i = 0; i < w->target_count; i++) {
		const struct host_port *at = &w->targets[i].server.items[0].at;
		if (at->port == s->at.port && strcmp(at->host, s->at.host) == 0)
			return true;
	}
	return false;
}

void
watch_add_fallback(struct watch *w)
{
	const struct dns_server *s = &w->p.servers->items[w->p.server];
	struct target *t;

	w->fallback = true;
	if (watch_has_target(w, s))
		return;
	t = watch_add_target(w, s, w->authority_count++);
	if (t != NULL)
		watch_poll(t);
}

static size_t
count_state(const struct watch *w, enum target_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < w->target_count; i++)
		n += w->targets[i].state == state;
	return n;
}

static void
assess(struct watch *w)
{
	if (count_state(w, TARGET_UNKNOWN) > 0 || count_state(w, TARGET_LAGS) > 0)
		return;
	if (count_state(w, TARGET_SERVES) == 0) {
		if (!w->fallback)
			watch_add_fallback(w);
		return;
	}
	watch_warn_passed_over(w);
	watch_finish(w, NULL);
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

void
watch_poll(void *arg)
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
