/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/get_serve.h"

#include <stdlib.h>
#include <string.h>

#include "app/get_options.h"
#include "app/get_page.h"
#include "app/listeners.h"
#include "base/alloc.h"
#include "codec/chain.h"
#include "ev/listener.h"
#include "http/server.h"
#include "http/server_tls.h"
#include "http/tls.h"
#include "mgmt/reply.h"
#include "mgmt/route.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum {
	HEADERS_MAX = 8 * 1024,
	RECEIVE_MS = 10 * 1000,
	IDLE_MS = 15 * 1000,
};

struct get_serve {
	struct loop *loop;
	void (*shutdown)(void *arg);
	void *arg;
	struct listeners https_listeners, control_listeners;
	struct http_server *https; /* NULL: not yet */
	struct http_server *control;
	struct ssl_ctx_st *tls;
	char *page, *pem;
	size_t page_len, pem_len;
};

/* ---- what is answered ---- */

static void
handle_page(void *server, struct http_exchange *x)
{
	const struct get_serve *s = server;

	http_exchange_reply(x,
	    &(struct http_reply){
		.status = 200,
		.content_type = "text/html; charset=utf-8",
		.body = s->page,
		.body_len = s->page_len,
		.headers = {{"Content-Security-Policy",
				"default-src 'none'; style-src 'unsafe-inline'"},
		    {"X-Content-Type-Options", "nosniff"}},
	    });
}

static void
handle_pem(void *server, struct http_exchange *x)
{
	const struct get_serve *s = server;

	http_exchange_reply(x,
	    &(struct http_reply){
		.status = 200,
		.content_type = "application/pem-certificate-chain",
		.body = s->pem,
		.body_len = s->pem_len,
	    });
}

static void
handle_shutdown(void *server, struct http_exchange *x)
{
	const struct get_serve *s = server;

	reply_text(x, 200, "shutting down\n");
	s->shutdown(s->arg);
}

static const struct route https_routes[] = {
    {"/", "GET, HEAD", handle_page},
    {"/cert.pem", "GET, HEAD", handle_pem},
};

static const struct route control_routes[] = {
    {"/shutdown", "GET", handle_shutdown},
};

static const struct route_table https_table = {
    https_routes, COUNT(https_routes), "No such path: there are / and /cert.pem"};
static const struct route_table control_table = {
    control_routes, COUNT(control_routes), "No such path: there is /shutdown"};

static void
https_request(void *arg, struct http_exchange *x)
{
	route_dispatch(&https_table, arg, x);
}

static void
control_request(void *arg, struct http_exchange *x)
{
	route_dispatch(&control_table, arg, x);
}

/* ---- life ---- */

static struct http_server *
start(struct get_serve *s, http_handler_fn *handler, const struct listeners *on, struct err *e)
{
	struct http_server_conf conf = {
	    .max_headers = HEADERS_MAX,
	    .receive_ms = RECEIVE_MS,
	    .idle_ms = IDLE_MS,
	    .tls = handler == https_request ? s->tls : NULL,
	    .handler = handler,
	    .arg = s,
	};
	struct http_server *server = http_server_new(s->loop, &conf);

	for (size_t i = 0; i < on->count; i++) {
		if (!http_server_serve(server, on->items[i], e)) {
			http_server_free(server);
			return NULL;
		}
	}
	return server;
}

static bool
open_listeners(struct get_serve *s, const struct get_options *o, struct err *e)
{
	const struct get_listen *https = &o->https, *control = &o->control;

	if (!listeners_open(
		&s->https_listeners, s->loop, https->specs, https->count, https->is_default, e))
		return err_prefix(e, "--https-listen");
	if (!listeners_open(&s->control_listeners, s->loop, control->specs, control->count,
		control->is_default, e))
		return err_prefix(e, "--control-listen");
	s->control = start(s, control_request, &s->control_listeners, e);
	return s->control != NULL;
}

struct get_serve *
get_serve_new(struct loop *loop, const struct get_options *o, void (*shutdown)(void *arg),
    void *arg, struct err *e)
{
	struct get_serve *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->shutdown = shutdown;
	s->arg = arg;
	if (open_listeners(s, o, e))
		return s;
	get_serve_free(s);
	return NULL;
}

void
get_serve_free(struct get_serve *s)
{
	if (s == NULL)
		return;
	http_server_free(s->https);
	http_server_free(s->control);
	listeners_close(&s->https_listeners);
	listeners_close(&s->control_listeners);
	tls_context_free(s->tls);
	free(s->page);
	free(s->pem);
	free(s);
}

bool
get_serve_certificate(struct get_serve *s, const struct chain *chain, const struct key *key,
    bool revoked, struct err *e)
{
	s->page = get_page(chain, revoked, &s->page_len);
	s->pem = xmemdup(chain->pem, chain->pem_len);
	s->pem_len = chain->pem_len;
	s->tls = tls_server_context(chain->pem, chain->pem_len, key, e);
	if (s->tls == NULL)
		return false;
	s->https = start(s, https_request, &s->https_listeners, e);
	return s->https != NULL;
}

const char *
get_serve_https(const struct get_serve *s, size_t i)
{
	const struct listeners *l = &s->https_listeners;

	return i < l->count ? listener_address(l->items[i])->text : NULL;
}

const char *
get_serve_control(const struct get_serve *s, size_t i)
{
	const struct listeners *l = &s->control_listeners;

	return i < l->count ? listener_address(l->items[i])->text : NULL;
}

void
get_serve_stop(struct get_serve *s)
{
	http_server_stop_accepting(s->control);
	if (s->https != NULL)
		http_server_stop_accepting(s->https);
}

size_t
get_serve_pending(const struct get_serve *s)
{
	size_t n = http_server_pending(s->control);

	return s->https != NULL ? n + http_server_pending(s->https) : n;
}
