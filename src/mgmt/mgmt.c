/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/mgmt.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "http/server.h"
#include "mgmt/healthz.h"
#include "mgmt/reply.h"
#include "mgmt/revoke.h"
#include "mgmt/route.h"
#include "mgmt/sign.h"

enum {
	HEADERS_MAX = 16 * 1024,
	RECEIVE_MS = 30 * 1000, /* a whole request: a CSR is a few kilobytes */
	CHAIN_FACTOR = 16,      /* /revoke may be given a whole chain */
	IDLE_MS = 60 * 1000,
};

struct mgmt {
	struct http_server *http;
	struct desk *desk;
	struct proxy_trust proxies;
	size_t max_size;
};

static const struct route routes[] = {
    {.path = "/sign", .allow = "POST", .handle = sign_handle},
    {.path = "/revoke",
	.allow = "POST",
	.handle = revoke_handle,
	.offered = revoke_offered,
	.body_factor = CHAIN_FACTOR},
    {.path = "/healthz", .allow = "GET, HEAD", .handle = healthz_handle},
};

static const struct route_table table = {
    routes, sizeof(routes) / sizeof(routes[0]), "No such path: post the CSR to /sign"};

static size_t
max_body_of(void *arg, const char *target)
{
	const struct mgmt *m = arg;
	const struct route *r = route_find(&table, arg, target);

	return r != NULL && r->body_factor > 0 ? m->max_size * r->body_factor : m->max_size;
}

static void
handle(void *arg, struct http_exchange *x)
{
	route_dispatch(&table, arg, x);
}

static void
refuse(void *arg, int status, const char *detail, struct http_exchange *x)
{
	char larger[80];

	if (status == 413) {
		snprintf(larger, sizeof(larger), "the body is larger than %zu bytes (max-size)",
		    max_body_of(arg, http_exchange_target(x)));
		detail = larger;
	}
	log_info(&(struct log_context){.peer = http_exchange_peer_text(x)}, "refused (%d): %s",
	    status, detail);
	reply_refused(x, status, detail);
}

struct mgmt *
mgmt_new(struct loop *loop, const struct mgmt_server_conf *conf)
{
	struct mgmt *m = xcalloc(1, sizeof(*m));
	struct http_server_conf http = {
	    .max_headers = HEADERS_MAX,
	    .max_body = conf->max_size * CHAIN_FACTOR,
	    .max_body_of = max_body_of,
	    .receive_ms = RECEIVE_MS,
	    .idle_ms = IDLE_MS,
	    .need_length = true,
	    .handler = handle,
	    .refuse = refuse,
	    .arg = m,
	};

	m->desk = conf->desk;
	m->proxies = conf->proxies;
	m->max_size = conf->max_size;
	m->http = http_server_new(loop, &http);
	return m;
}

void
mgmt_configure(struct mgmt *m, const struct mgmt_server_conf *conf)
{
	m->proxies = conf->proxies;
	m->max_size = conf->max_size;
	http_server_set_max_body(m->http, conf->max_size);
}

void
mgmt_free(struct mgmt *m)
{
	if (m == NULL)
		return;
	http_server_free(m->http);
	free(m);
}

bool
mgmt_serve(struct mgmt *m, struct listener *l, struct err *e)
{
	return http_server_serve(m->http, l, e);
}

void
mgmt_stop_accepting(struct mgmt *m)
{
	http_server_stop_accepting(m->http);
}

size_t
mgmt_pending(const struct mgmt *m)
{
	return http_server_pending(m->http);
}

const struct http_server_stats *
mgmt_stats(const struct mgmt *m)
{
	return http_server_stats(m->http);
}

struct desk *
mgmt_desk(struct mgmt *m)
{
	return m->desk;
}

const struct proxy_trust *
mgmt_proxies(const struct mgmt *m)
{
	return &m->proxies;
}
