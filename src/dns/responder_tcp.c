/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/responder_tcp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "dns/responder_connection.h"
#include "ev/acceptor.h"

enum {
	CONNECTIONS_MAX = 512,
	PER_CLIENT_MAX = 256, /* a CA that asks over TCP has one for each name and perspective */
	IDLE_MS = 10 * 1000,
	IPV6_NETWORK = 8, /* octets of a /64 */
};

struct responder_tcp {
	struct responder_tcp_conf conf;
	struct responder_connections all;
};

/* Whoever has one IPv6 address usually has a whole network of them. */
static bool
same_client(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->len == b->len &&
	    memcmp(a->bytes, b->bytes, a->len == 4 ? a->len : IPV6_NETWORK) == 0;
}

static bool
client_is_full(const struct responder_tcp *t, const struct ip_addr *client)
{
	const struct responder_connection *c;
	unsigned n = 0;

	TAILQ_FOREACH (c, &t->all.list, entry)
		n += same_client(&c->client, client);
	return n >= t->conf.max_per_client;
}

static void
accepted(void *arg, int fd, const struct sockaddr *sa, socklen_t len)
{
	struct responder_tcp *t = arg;
	struct ip_addr client = {0};

	if (!ip_addr_from_sockaddr(sa, &client) || client_is_full(t, &client)) {
		close(fd);
		return;
	}
	if (t->all.count >= t->conf.max_connections)
		responder_connection_close(TAILQ_FIRST(&t->all.list));
	responder_connection_open(&t->all, fd, &client);
}

struct responder_tcp *
responder_tcp_new(
    struct loop *loop, const struct responder_table *table, const struct responder_tcp_conf *conf)
{
	struct responder_tcp *t = xcalloc(1, sizeof(*t));

	t->all.loop = loop;
	t->all.table = table;
	t->all.idle_ms = conf->idle_ms != 0 ? conf->idle_ms : IDLE_MS;
	t->conf = *conf;
	if (t->conf.max_connections == 0)
		t->conf.max_connections = CONNECTIONS_MAX;
	if (t->conf.max_per_client == 0)
		t->conf.max_per_client = PER_CLIENT_MAX;
	TAILQ_INIT(&t->all.list);
	return t;
}

bool
responder_tcp_serve(struct responder_tcp *t, struct listener *l, struct err *e)
{
	return acceptor_start(l, accepted, t, e);
}

void
responder_tcp_free(struct responder_tcp *t)
{
	struct responder_connection *c, *next;

	if (t == NULL)
		return;
	TAILQ_FOREACH_SAFE (c, &t->all.list, entry, next)
		responder_connection_close(c);
	free(t);
}
