/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/client.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "ev/loop.h"
#include "ev/resolve.h"

struct dns_client {
	struct loop *loop;
	struct resolver *resolver;
};

struct dns_client *
dns_client_new(struct loop *loop, struct err *e)
{
	struct resolver *resolver = resolver_new(loop, e);

	if (resolver == NULL)
		return NULL;
	struct dns_client *c = xcalloc(1, sizeof(*c));
	c->loop = loop;
	c->resolver = resolver;
	return c;
}

void
dns_client_free(struct dns_client *c)
{
	if (c == NULL)
		return;
	resolver_free(c->resolver);
	free(c);
}

struct loop *
dns_client_loop(const struct dns_client *c)
{
	return c->loop;
}

struct resolver *
dns_client_resolver(const struct dns_client *c)
{
	return c->resolver;
}
