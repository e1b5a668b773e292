/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/status.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "http/server.h"
#include "mgmt/healthz.h"
#include "mgmt/metrics.h"
#include "mgmt/process_usage.h"
#include "mgmt/readyz.h"
#include "mgmt/reply.h"
#include "mgmt/route.h"

enum {
	HEADERS_MAX = 16 * 1024,
	RECEIVE_MS = 10 * 1000,
	IDLE_MS = 120 * 1000, /* who scrapes once a minute keeps its connection */
};

struct status {
	struct http_server *http;
	struct status_conf conf;
	double started;
};

static const struct route routes[] = {
    {.path = "/healthz", .allow = "GET, HEAD", .handle = healthz_handle},
    {.path = "/metrics", .allow = "GET, HEAD", .handle = metrics_handle},
    {.path = "/readyz", .allow = "GET, HEAD", .handle = readyz_handle},
};

static const struct route_table table = {routes, sizeof(routes) / sizeof(routes[0]),
    "No such path: there are /healthz, /metrics and /readyz"};

static void
handle(void *arg, struct http_exchange *x)
{
	route_dispatch(&table, arg, x);
}

static void
refuse(void *arg, int status, const char *detail, struct http_exchange *x)
{
	(void)arg;
	log_info(&(struct log_context){.peer = http_exchange_peer_text(x)},
	    "status request refused (%d): %s", status, detail);
	reply_refused(x, status, detail);
}

struct status *
status_new(struct loop *loop, const struct status_conf *conf)
{
	struct status *s = xcalloc(1, sizeof(*s));
	struct http_server_conf http = {
	    .max_headers = HEADERS_MAX,
	    .receive_ms = RECEIVE_MS,
	    .idle_ms = IDLE_MS,
	    .handler = handle,
	    .refuse = refuse,
	    .arg = s,
	};

	s->conf = *conf;
	s->started = process_started();
	s->http = http_server_new(loop, &http);
	return s;
}

void
status_configure(struct status *s, const struct status_conf *conf)
{
	s->conf = *conf;
}

void
status_free(struct status *s)
{
	if (s == NULL)
		return;
	http_server_free(s->http);
	free(s);
}

bool
status_serve(struct status *s, struct listener *l, struct err *e)
{
	return http_server_serve(s->http, l, e);
}

const struct status_conf *
status_conf(const struct status *s)
{
	return &s->conf;
}

const struct http_server_stats *
status_stats(const struct status *s)
{
	return http_server_stats(s->http);
}

double
status_started(const struct status *s)
{
	return s->started;
}
