/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "challenge/dns01.h"
#include "challenge/dns01_update.h"
#include "ev/op.h"
#include "ev/timer.h"

enum { PATIENCE_MS = 12 * 1000 };

static void
pulse(void *arg)
{
	struct world *w = arg;

	timer_start(w->pulse, 10);
}

static void
warn(void *arg, const char *block, const char *text)
{
	struct world *w = arg;
	size_t len = strlen(w->warnings);

	snprintf(w->warnings + len, sizeof(w->warnings) - len, "%s\n", text);
}

static void
base_zone(struct model *m, struct world *w)
{
	static const char *const records[] = {
	    "example.org. NS ns1.example.org.",
	    "ns1.example.org. A 127.0.0.1",
	};

	m->zones[0] = "example.org";
	memcpy(m->records, records, sizeof(records));
	m->key = &w->key;
	m->arg = w;
}

struct world *
world_new(void)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct challenge_dns01_update_conf *u = &w->conf.dns01_update;
	struct err e;

	w->loop = loop_new(&e);
	w->pulse = timer_new(w->loop, pulse, w);
	pulse(w);
	assert_true(tsig_key_make("k.example", "hmac-sha256", "c2VjcmV0c2VjcmV0", &w->key, &e));
	base_zone(&w->primary, w);
	assert_true(model_start(&w->primary, w->loop, "127.0.0.1", 0));
	w->conf.name = "dns";
	w->conf.type = CHALLENGE_DNS01_UPDATE;
	w->all = challenges_new(w->loop, warn, w);
	snprintf(w->servers[0].host, sizeof(w->servers[0].host), "127.0.0.1");
	w->servers[0].port = peer_port(w->primary.peer);
	u->dns_servers = w->servers;
	u->dns_server_count = 1;
	u->resolvers = w->servers;
	u->resolver_count = 1;
	u->ttl = 60;
	u->timeout_s = 1;
	u->tsig = (struct challenge_tsig_conf){
	    w->key.name, (char *)(uintptr_t) "hmac-sha256", w->key.secret, w->key.secret_len};
	u->follow_cname = true;
	u->propagation_check = true;
	u->propagation_timeout_s = 2;
	return w;
}

void
world_secondary(struct world *w, size_t i)
{
	struct challenge_dns01_update_conf *u = &w->conf.dns01_update;
	struct host_port *at = &w->servers[u->dns_server_count++];

	base_zone(&w->secondary[i], w);
	snprintf(at->host, sizeof(at->host), "127.0.0.%zu", 2 + i);
	at->port = w->servers[0].port;
	if (!model_start(&w->secondary[i], w->loop, at->host, at->port))
		skip();
}

void
world_open(struct world *w)
{
	struct err e;

	w->challenge = challenge_dns01_update.new(w->all, &w->conf, &e);
	if (w->challenge == NULL)
		fail_msg("%s", e.detail);
}

void
world_free(struct world *w)
{
	for (size_t i = 0; i < ASKS; i++)
		op_cancel(&w->asks[i].slot);
	if (w->challenge != NULL)
		challenge_dns01_update.free(w->challenge);
	challenges_free(w->all);
	for (size_t i = 0; i < ASKS; i++)
		free(w->asks[i].value);
	model_stop(&w->primary);
	for (size_t i = 0; i < SECONDARIES; i++)
		model_stop(&w->secondary[i]);
	timer_free(w->pulse);
	loop_free(w->loop);
	free(w);
}

/* ---- askings ---- */

static void
presented(void *arg, const struct err *e)
{
	struct asking *a = arg;

	assert_false(a->told);
	assert_null(a->slot);
	a->told = true;
	a->success = e == NULL;
	if (e != NULL)
		a->error = *e;
}

static struct acme_answer
answer_of(struct asking *a)
{
	return (struct acme_answer){&a->identifier, a->token, a->key_authorization};
}

void
world_present(struct world *w, size_t i, const char *name, const char *token)
{
	struct asking *a = &w->asks[i];
	struct acme_solver *solver = &w->challenge->solver;

	free(a->value);
	*a = (struct asking){.w = w};
	assert_true(identifier_dns(name, strlen(name), &a->identifier, NULL));
	snprintf(a->token, sizeof(a->token), "%s", token);
	snprintf(a->key_authorization, sizeof(a->key_authorization), "%s.thumb", token);
	snprintf(a->name, sizeof(a->name), "_acme-challenge.%s", name);
	a->value = dns01_value(a->key_authorization);
	struct acme_answer answer = answer_of(a);
	solver->present(solver, &answer, presented, NULL, a, &a->slot);
	assert_false(a->told);
}

void
world_withdraw(struct world *w, size_t i)
{
	struct acme_solver *solver = &w->challenge->solver;
	struct acme_answer answer = answer_of(&w->asks[i]);

	solver->withdraw(solver, &answer, &w->asks[i]);
}

void
world_run(struct world *w, int ms)
{
	for (int64_t end = clock_mono_ms() + ms; clock_mono_ms() < end;)
		loop_turn(w->loop, true);
}

void
world_wait(struct world *w, size_t i)
{
	for (int64_t end = clock_mono_ms() + PATIENCE_MS;
	     !w->asks[i].told && clock_mono_ms() < end;)
		loop_turn(w->loop, true);
	assert_true(w->asks[i].told);
}

static void
idle(void *arg)
{
	struct world *w = arg;

	w->idle = true;
}

void
world_wait_idle(struct world *w)
{
	w->idle = false;
	challenges_on_idle(w->all, idle, w);
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; !w->idle && clock_mono_ms() < end;)
		loop_turn(w->loop, true);
	assert_true(w->idle);
	assert_int_equal(w->challenge->active, 0);
}

void
world_expect_success(struct world *w, size_t i)
{
	world_wait(w, i);
	if (!w->asks[i].success)
		fail_msg("%s", w->asks[i].error.detail);
}

void
world_expect_error(struct world *w, size_t i, enum err_kind kind, const char *text)
{
	world_wait(w, i);
	assert_false(w->asks[i].success);
	if (strstr(w->asks[i].error.detail, text) == NULL || w->asks[i].error.kind != kind)
		fail_msg("%s: %s", err_kind_name(w->asks[i].error.kind), w->asks[i].error.detail);
}
