/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/ca_client.h"

#include "config.h"
#include "ev/resolve.h"
#include "http/client.h"
#include "http/tls.h"

enum {
	CA_CONNECTIONS = 16,
	CA_BODY_MAX = 256 * 1024,
	CA_HEADERS_MAX = 32 * 1024,
	CA_IDLE_MS = 30 * 1000,
};

bool
ca_client_init(struct ca_client *c, struct loop *loop, const char *ca_file, struct err *e)
{
	struct http_client_conf conf = {
	    .user_agent = "acmems/" ACMEMS_VERSION,
	    .max_connections = CA_CONNECTIONS,
	    .max_body = CA_BODY_MAX,
	    .max_headers = CA_HEADERS_MAX,
	    .idle_ms = CA_IDLE_MS,
	};

	c->resolver = resolver_new(loop, e);
	if (c->resolver == NULL)
		return false;
	c->tls = tls_client_context(ca_file, e);
	if (c->tls == NULL)
		return false;
	conf.tls = c->tls;
	c->http = http_client_new(loop, c->resolver, &conf);
	return true;
}

void
ca_client_trust(struct ca_client *c, struct ssl_ctx_st *tls)
{
	http_client_trust(c->http, tls);
	tls_context_free(c->tls); /* connections made with it have it as long as they live */
	c->tls = tls;
}

void
ca_client_done(struct ca_client *c)
{
	http_client_free(c->http);
	tls_context_free(c->tls);
	resolver_free(c->resolver);
	*c = (struct ca_client){0};
}
