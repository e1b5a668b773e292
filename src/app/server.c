/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/server.h"

#include <stdio.h>
#include <stdlib.h>

#include "acme/ca.h"
#include "acme/ca_stats.h"
#include "app/ca_client.h"
#include "app/conf.h"
#include "app/generation.h"
#include "app/life.h"
#include "app/reload.h"
#include "app/service.h"
#include "base/alloc.h"
#include "base/log.h"
#include "challenge/challenges.h"
#include "ev/listener.h"
#include "ev/loop.h"
#include "issue/desk.h"
#include "mgmt/mgmt.h"
#include "mgmt/status.h"

struct server {
	struct conf *first; /* until the first generation has it */
	char *const *paths;
	size_t path_count;
	struct loop *loop;
	struct ca_client client;
	struct ca_stats ca_stats; /* of one after the other */
	struct challenges *challenges;
	struct generation_common common;
	struct generation *now;
	struct desk *desk;
	struct mgmt *mgmt;
	struct status *status;
	struct reload *reload;
	struct service *service;
	struct life *life;
};

static void
challenge_warns(void *arg, const char *block, const char *text)
{
	log_warning(NULL, "%s: %s", block, text);
}

/* ---- what each part is told of a generation ---- */

static struct desk_conf
desk_conf_of(const struct generation *g)
{
	const struct mgmt_conf *mgmt = &g->conf->mgmt;

	return (struct desk_conf){
	    .ca = g->ca,
	    .policy = g->policy,
	    .challenges = g->challenges,
	    .challenge_count = g->conf->verification_count,
	    .stores = g->stores,
	    .store_count = g->conf->storage_count,
	    .timeout_ms = mgmt->timeout_s * 1000,
	    .order_timeout_ms = mgmt->order_timeout_s * 1000,
	    .max_orders = mgmt->max_orders,
	};
}

static struct mgmt_server_conf
mgmt_conf_of(const struct generation *g, struct desk *desk)
{
	const struct mgmt_conf *mgmt = &g->conf->mgmt;

	return (struct mgmt_server_conf){
	    .desk = desk,
	    .proxies = {mgmt->trusted, mgmt->trusted_count, mgmt->trust_unix,
		mgmt->proxy_header == PROXY_X_REAL_IP ? "X-Real-IP" : "X-Forwarded-For"},
	    .max_size = mgmt->max_size,
	};
}

static struct status_conf
status_conf_of(const struct server *s)
{
	return (struct status_conf){
	    .desk = s->desk,
	    .mgmt = s->mgmt,
	    .challenges = s->challenges,
	    .client = s->client.http,
	    .ca = s->now->ca,
	    .stores = s->now->stores,
	    .store_count = s->now->conf->storage_count,
	};
}

/* ---- the steps, in order ---- */

static bool
build_loop(struct server *s, struct err *e)
{
	s->loop = loop_new(e);
	return s->loop != NULL;
}

static bool
build_service(struct server *s, struct err *e)
{
	s->service = service_new(s->loop, e);
	return s->service != NULL;
}

static bool
build_client(struct server *s, struct err *e)
{
	return ca_client_init(&s->client, s->loop, s->first->ca_file, e);
}

static bool
build_generation(struct server *s, struct err *e)
{
	struct conf *conf = s->first;

	s->challenges = challenges_new(s->loop, challenge_warns, NULL);
	s->common =
	    (struct generation_common){s->loop, s->client.http, s->challenges, &s->ca_stats};
	s->first = NULL;
	s->now = generation_new(&s->common, conf, NULL, e);
	return s->now != NULL;
}

static bool
build_desk(struct server *s, struct err *e)
{
	struct desk_conf conf = desk_conf_of(s->now);

	(void)e;
	s->desk = desk_new(s->loop, &conf);
	return true;
}

static bool
build_servers(struct server *s, struct err *e)
{
	struct mgmt_server_conf mgmt = mgmt_conf_of(s->now, s->desk);
	struct status_conf status;

	(void)e;
	s->mgmt = mgmt_new(s->loop, &mgmt);
	status = status_conf_of(s);
	s->status = status_new(s->loop, &status);
	return true;
}

/* ---- one generation after another ---- */

static bool
serve(struct server *s, struct err *e)
{
	const struct generation *g = s->now;

	generation_begin(s->now);
	for (size_t i = 0; i < g->mgmt.count; i++)
		if (!mgmt_serve(s->mgmt, g->mgmt.items[i], e))
			return false;
	for (size_t i = 0; i < g->status.count; i++)
		if (!status_serve(s->status, g->status.items[i], e))
			return false;
	return true;
}

static void
warn_unused(void *arg, const char *text)
{
	log_warning(NULL,
	    "systemd has a socket for %s, but no listener of the configuration has this address",
	    text);
}

/* What listens is one line each, so that an operator sees at a glance where to post. */
static void
announce(const struct server *s)
{
	const struct generation *g = s->now;

	for (size_t i = 0; i < g->mgmt.count; i++)
		log_info(
		    NULL, "requests are taken on %s", listener_address(g->mgmt.items[i])->text);
	for (size_t i = 0; i < g->status.count; i++)
		log_info(NULL, "status is told on %s", listener_address(g->status.items[i])->text);
	listener_unused(s->loop, warn_unused, NULL);
}

/* From here on nothing can fail but libevent. The old listeners go last: what is open in both is
 * never closed. */
static void
follow(void *arg, struct generation *next, struct ssl_ctx_st *tls)
{
	struct server *s = arg;
	struct generation *old = s->now;
	struct desk_conf desk = desk_conf_of(next);
	struct mgmt_server_conf mgmt = mgmt_conf_of(next, s->desk);
	struct status_conf status;
	struct err e;

	s->now = next;
	ca_client_trust(&s->client, tls);
	desk_configure(s->desk, &desk);
	mgmt_configure(s->mgmt, &mgmt);
	status = status_conf_of(s);
	status_configure(s->status, &status);
	if (!serve(s, &e))
		log_error(NULL, "%s", e.detail);
	life_set_shutdown_timeout(s->life, next->conf->mgmt.shutdown_timeout_s * 1000);
	if (next->ca != old->ca)
		ca_start(next->ca);
	generation_free(old);
	challenges_serve_idle(s->challenges);
	announce(s);
}

static bool
build_reload(struct server *s, struct err *e)
{
	struct reload_conf conf = {
	    .paths = s->paths,
	    .path_count = s->path_count,
	    .common = &s->common,
	    .resolver = s->client.resolver,
	    .now = &s->now,
	    .service = s->service,
	    .follow = follow,
	    .arg = s,
	};

	(void)e;
	s->reload = reload_new(&conf);
	return true;
}

/* ---- life ---- */

static void
close_listeners(void *arg)
{
	struct server *s = arg;

	reload_cancel(s->reload);
	listeners_close(&s->now->mgmt);
}

static void
hang_up(void *arg)
{
	struct server *s = arg;

	desk_forget_failures(s->desk);
	ca_reset(s->now->ca);
}

static void
reload(void *arg)
{
	struct server *s = arg;

	reload_start(s->reload);
}

static bool
build_life(struct server *s, struct err *e)
{
	struct life_conf conf = {
	    .desk = s->desk,
	    .mgmt = s->mgmt,
	    .challenges = s->challenges,
	    .shutdown_timeout_ms = s->now->conf->mgmt.shutdown_timeout_s * 1000,
	    .close_listeners = close_listeners,
	    .service = s->service,
	    .forget = hang_up,
	    .reload = reload,
	    .arg = s,
	};

	(void)e;
	s->life = life_new(s->loop, &conf);
	return true;
}

static bool (*const steps[])(struct server *s, struct err *e) = {
    build_loop,
    build_service,
    build_client,
    build_generation,
    build_desk,
    build_servers,
    build_reload,
    build_life,
    serve,
};

struct server *
server_new(struct conf *conf, char *const *paths, size_t count, struct err *e)
{
	struct server *s = xcalloc(1, sizeof(*s));

	bool ok = true;

	s->first = conf;
	s->paths = paths;
	s->path_count = count;
	for (size_t i = 0; ok && i < sizeof(steps) / sizeof(steps[0]); i++)
		ok = steps[i](s, e);
	if (ok)
		return s;
	server_free(s);
	return NULL;
}

/* In reverse: servers go before the desk they ask, jobs before the CA and the solvers they use. */
void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	life_free(s->life);
	reload_free(s->reload);
	status_free(s->status);
	mgmt_free(s->mgmt);
	desk_free(s->desk);
	generation_free(s->now);
	challenges_free(s->challenges);
	ca_client_done(&s->client);
	service_free(s->service);
	if (s->loop != NULL)
		listener_close_inherited(s->loop);
	loop_free(s->loop);
	conf_free(s->first);
	free(s);
}

bool
server_run(struct server *s, struct err *e)
{
	announce(s);
	puts("running");
	fflush(stdout);
	service_ready(s->service, "running");
	ca_start(s->now->ca);
	return loop_run(s->loop, e);
}
