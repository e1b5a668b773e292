/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/server.h"

#include <stdio.h>
#include <stdlib.h>

#include "acme/ca.h"
#include "app/ca_client.h"
#include "app/ca_events.h"
#include "app/conf.h"
#include "app/life.h"
#include "base/alloc.h"
#include "base/log.h"
#include "challenge/challenge.h"
#include "challenge/challenges.h"
#include "ev/listener.h"
#include "ev/loop.h"
#include "issue/desk.h"
#include "issue/policy.h"
#include "issue/store.h"
#include "mgmt/mgmt.h"
#include "mgmt/status.h"

struct listeners {
	struct listener **items;
	size_t count;
};

struct server {
	const struct conf *conf;
	struct loop *loop;
	struct ca_client client;
	struct ca *ca;
	struct challenges *all;
	struct challenge **challenges; /* by verification block */
	struct store **stores;         /* by storage block */
	struct policy *policy;
	struct desk *desk;
	struct mgmt *mgmt;
	struct listeners listeners; /* of the management side */
	struct status *status;
	struct listeners status_listeners;
	struct life *life;
};

static void
warn(void *arg, const char *block, const char *text)
{
	log_warning(NULL, "%s: %s", block, text);
}

/* ---- the steps, in order ---- */

static bool
build_loop(struct server *s, struct err *e)
{
	s->loop = loop_new(e);
	return s->loop != NULL;
}

static bool
build_client(struct server *s, struct err *e)
{
	return ca_client_init(&s->client, s->loop, s->conf->ca_file, e);
}

static bool
build_ca(struct server *s, struct err *e)
{
	struct ca_conf conf = s->conf->ca;

	conf.event = ca_events_log;
	s->ca = ca_new(s->loop, s->client.http, &conf, e);
	return s->ca != NULL;
}

static bool
build_challenges(struct server *s, struct err *e)
{
	size_t n = s->conf->verification_count;

	s->all = challenges_new(s->loop, warn, NULL);
	s->challenges = xcalloc(n + 1, sizeof(struct challenge *));
	for (size_t i = 0; i < n; i++) {
		struct challenge_conf conf = s->conf->verifications[i];

		conf.http = s->client.http;
		s->challenges[i] = challenge_new(s->all, &conf, e);
		if (s->challenges[i] == NULL || !challenge_serve(s->challenges[i], true, e))
			return err_prefix(e, "[verification \"%s\"]", conf.name);
	}
	return true;
}

static bool
build_stores(struct server *s, struct err *e)
{
	size_t n = s->conf->storage_count;

	s->stores = xcalloc(n + 1, sizeof(struct store *));
	for (size_t i = 0; i < n; i++) {
		const struct storage_conf *conf = &s->conf->storages[i];
		struct store_file_conf file = conf->file;

		file.warn = warn;
		s->stores[i] = conf->type == STORE_NONE
		    ? store_none_new(conf->name)
		    : store_file_new(s->loop, conf->name, &file, conf->renew_within_s, e);
		if (s->stores[i] == NULL)
			return err_prefix(e, "[storage \"%s\"]", conf->name);
	}
	return true;
}

static bool
build_desk(struct server *s, struct err *e)
{
	const struct mgmt_conf *mgmt = &s->conf->mgmt;
	struct desk_conf conf = {
	    .ca = s->ca,
	    .challenges = s->challenges,
	    .challenge_count = s->conf->verification_count,
	    .stores = s->stores,
	    .store_count = s->conf->storage_count,
	    .timeout_ms = mgmt->timeout_s * 1000,
	    .order_timeout_ms = mgmt->order_timeout_s * 1000,
	    .max_orders = mgmt->max_orders,
	};

	(void)e;
	s->policy = policy_new(s->conf->auths, s->conf->auth_count);
	conf.policy = s->policy;
	s->desk = desk_new(s->loop, &conf);
	return true;
}

static bool
open_listener(struct server *s, struct listeners *to, const struct listen_address *addr,
    bool is_default, struct err *e)
{
	bool no_family = false;
	struct listener *l = listener_open(s->loop, addr, &no_family, e);

	if (l == NULL && no_family && is_default) {
		log_warning(NULL, "default listener left out: %s", e->detail);
		return true;
	}
	if (l == NULL)
		return false;
	to->items = xreallocarray(to->items, to->count + 1, sizeof(struct listener *));
	to->items[to->count++] = l;
	return true;
}

static bool
open_spec(struct server *s, struct listeners *to, const char *spec, bool is_default, struct err *e)
{
	struct listen_address *addrs = NULL;
	size_t n = 0;
	bool ok = listen_addresses(spec, &addrs, &n, e);

	for (size_t i = 0; ok && i < n; i++)
		ok = open_listener(s, to, &addrs[i], is_default, e);
	free(addrs);
	return ok;
}

static bool
open_listeners(struct server *s, struct listeners *to, char *const *specs, size_t count,
    bool is_default, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (!open_spec(s, to, specs[i], is_default, e))
			return false;
	return true;
}

static void
listeners_close(struct listeners *list)
{
	for (size_t i = 0; i < list->count; i++)
		listener_free(list->items[i]);
	free(list->items);
	*list = (struct listeners){0};
}

static bool
build_mgmt(struct server *s, struct err *e)
{
	const struct mgmt_conf *mgmt = &s->conf->mgmt;
	struct mgmt_server_conf conf = {
	    .desk = s->desk,
	    .proxies = {mgmt->trusted, mgmt->trusted_count, mgmt->trust_unix,
		mgmt->proxy_header == PROXY_X_REAL_IP ? "X-Real-IP" : "X-Forwarded-For"},
	    .max_size = mgmt->max_size,
	};

	s->mgmt = mgmt_new(s->loop, &conf);
	if (!open_listeners(s, &s->listeners, mgmt->listeners, mgmt->listener_count,
		mgmt->default_listeners, e))
		return err_prefix(e, "[mgmt] listener");
	for (size_t i = 0; i < s->listeners.count; i++)
		if (!mgmt_serve(s->mgmt, s->listeners.items[i], e))
			return false;
	return true;
}

static bool
build_status(struct server *s, struct err *e)
{
	struct status_conf conf = {
	    .desk = s->desk,
	    .ca = s->ca,
	};

	s->status = status_new(s->loop, &conf);
	if (!open_listeners(s, &s->status_listeners, s->conf->status_listeners,
		s->conf->status_listener_count, false, e))
		return err_prefix(e, "[status] listener");
	for (size_t i = 0; i < s->status_listeners.count; i++)
		if (!status_serve(s->status, s->status_listeners.items[i], e))
			return false;
	return true;
}

static void
close_listeners(void *arg)
{
	struct server *s = arg;

	listeners_close(&s->listeners);
}

static bool
build_life(struct server *s, struct err *e)
{
	struct life_conf conf = {
	    .ca = s->ca,
	    .desk = s->desk,
	    .mgmt = s->mgmt,
	    .challenges = s->all,
	    .shutdown_timeout_ms = s->conf->mgmt.shutdown_timeout_s * 1000,
	    .close_listeners = close_listeners,
	    .arg = s,
	};

	(void)e;
	s->life = life_new(s->loop, &conf);
	return true;
}

static bool (*const steps[])(struct server *s, struct err *e) = {
    build_loop,
    build_client,
    build_ca,
    build_challenges,
    build_stores,
    build_desk,
    build_mgmt,
    build_status,
    build_life,
};

struct server *
server_new(const struct conf *conf, struct err *e)
{
	struct server *s = xcalloc(1, sizeof(*s));

	bool ok = true;

	s->conf = conf;
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
	status_free(s->status);
	mgmt_free(s->mgmt);
	listeners_close(&s->status_listeners);
	listeners_close(&s->listeners);
	desk_free(s->desk);
	policy_free(s->policy);
	for (size_t i = 0; s->stores != NULL && i < s->conf->storage_count; i++)
		store_free(s->stores[i]);
	free(s->stores);
	for (size_t i = 0; s->challenges != NULL && i < s->conf->verification_count; i++)
		challenge_free(s->challenges[i]);
	free(s->challenges);
	challenges_free(s->all);
	ca_free(s->ca);
	ca_client_done(&s->client);
	loop_free(s->loop);
	free(s);
}

/* What listens is one line, so that an operator sees at a glance where to post. */
static void
announce(const struct server *s)
{
	for (size_t i = 0; i < s->listeners.count; i++)
		log_info(NULL, "requests are taken on %s",
		    listener_address(s->listeners.items[i])->text);
	for (size_t i = 0; i < s->status_listeners.count; i++)
		log_info(NULL, "status is told on %s",
		    listener_address(s->status_listeners.items[i])->text);
	puts("running");
	fflush(stdout);
}

bool
server_run(struct server *s, struct err *e)
{
	announce(s);
	ca_start(s->ca);
	return loop_run(s->loop, e);
}
