/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/queue.h"
#include "codec/ip.h"
#include "ev/io.h"
#include "ev/loop.h"
#include "ev/timer.h"

/* Where an answer goes: a datagram's sender, or a connection. */
struct peer_client {
	TAILQ_ENTRY(peer_client) link;
	struct peer *peer;
	int fd; /* of the connection, or the UDP socket */
	bool tcp;
	struct sockaddr_storage from;
	socklen_t from_len;
	struct io *io;
	uint8_t in[8192];
	size_t in_len;
};

struct later {
	TAILQ_ENTRY(later) link;
	struct peer *peer;
	struct peer_client to; /* a copy; for TCP only its descriptor counts */
	uint8_t *bytes;
	size_t len;
	struct timer *timer;
};

struct peer {
	struct loop *loop;
	struct dns_server at;
	int udp, tcp;
	struct io *udp_io, *tcp_io;
	peer_fn *fn;
	void *arg;
	unsigned count, tcp_count;
	TAILQ_HEAD(, peer_client) clients;
	TAILQ_HEAD(, later) laters;
};

static void
nothing(void *arg)
{
}

static void
deliver(struct peer *p, struct peer_client *c, const uint8_t *bytes, size_t len)
{
	struct peer_query q = {.peer = p, .bytes = bytes, .len = len, .tcp = c->tcp, .client = c};
	struct dns_message *m = dns_message_parse(bytes, len, NULL);

	assert_non_null(m);
	const ldns_rr *question = ldns_rr_list_rr(m->sections[0], 0);
	assert_true(dns_rr_owner(question, q.name));
	q.type = ldns_rr_get_type(question);
	q.message = m;
	p->count++;
	p->tcp_count += c->tcp;
	p->fn(p->arg, &q);
	dns_message_free(m);
}

static void
udp_readable(void *arg)
{
	struct peer *p = arg;
	struct peer_client c = {.peer = p, .fd = p->udp, .from_len = sizeof(c.from)};

	ssize_t n = recvfrom(
	    p->udp, c.in, sizeof(c.in), MSG_DONTWAIT, (struct sockaddr *)&c.from, &c.from_len);
	if (n >= 0)
		deliver(p, &c, c.in, (size_t)n);
}

static void
client_free(struct peer_client *c)
{
	TAILQ_REMOVE(&c->peer->clients, c, link);
	io_free(c->io);
	close(c->fd);
	loop_dispose(c->peer->loop, free, c);
}

static void
client_readable(void *arg)
{
	struct peer_client *c = arg;

	ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);
	if (n <= 0) {
		client_free(c);
		return;
	}
	c->in_len += (size_t)n;
	if (c->in_len < 2 || c->in_len < 2 + (size_t)(c->in[0] << 8 | c->in[1]))
		return;
	size_t len = c->in_len - 2;
	c->in_len = 0;
	deliver(c->peer, c, c->in + 2, len);
}

static void
tcp_readable(void *arg)
{
	struct peer *p = arg;
	int fd = accept4(p->tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	struct peer_client *c = xcalloc(1, sizeof(*c));
	c->peer = p;
	c->fd = fd;
	c->tcp = true;
	c->io = io_new(p->loop, fd, client_readable, nothing, c);
	io_want(c->io, true, false);
	TAILQ_INSERT_TAIL(&p->clients, c, link);
}

/* ---- life ---- */

static socklen_t
socket_address(const struct host_port *at, struct sockaddr_storage *sa)
{
	struct sockaddr_in *in = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;

	memset(sa, 0, sizeof(*sa));
	if (inet_pton(AF_INET, at->host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(at->port);
		return sizeof(*in);
	}
	assert_int_equal(inet_pton(AF_INET6, at->host, &in6->sin6_addr), 1);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(at->port);
	return sizeof(*in6);
}

static bool
bind_both(struct peer *p)
{
	struct sockaddr_storage sa;
	socklen_t len = socket_address(&p->at.at, &sa);

	p->tcp = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	p->udp = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(p->tcp, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(p->tcp, (struct sockaddr *)&sa, len) != 0 || listen(p->tcp, 64) != 0 ||
	    getsockname(p->tcp, (struct sockaddr *)&sa, &len) != 0)
		return false;
	/* The port is at the same place in both families. */
	p->at.at.port = ntohs(((struct sockaddr_in *)&sa)->sin_port);
	return bind(p->udp, (struct sockaddr *)&sa, len) == 0;
}

static void
close_both(struct peer *p)
{
	if (p->tcp >= 0)
		close(p->tcp);
	if (p->udp >= 0)
		close(p->udp);
}

struct peer *
peer_new(struct loop *loop, const char *address, uint16_t port, peer_fn *fn, void *arg)
{
	struct peer *p = xcalloc(1, sizeof(*p));
	bool bound = false;

	snprintf(p->at.at.host, sizeof(p->at.at.host), "%s", address);
	/* A port that is free for TCP may be taken for UDP: another one, then. */
	for (int i = 0; i < 20 && !bound; i++) {
		p->at.at.port = port;
		bound = bind_both(p);
		if (!bound)
			close_both(p);
		if (port != 0)
			break;
	}
	if (!bound) {
		free(p);
		return NULL;
	}
	snprintf(p->at.text, sizeof(p->at.text), "%s#%u", address, p->at.at.port);
	p->loop = loop;
	p->fn = fn;
	p->arg = arg;
	TAILQ_INIT(&p->clients);
	TAILQ_INIT(&p->laters);
	p->udp_io = io_new(loop, p->udp, udp_readable, nothing, p);
	p->tcp_io = io_new(loop, p->tcp, tcp_readable, nothing, p);
	io_want(p->udp_io, true, false);
	io_want(p->tcp_io, true, false);
	return p;
}

static void
later_free(struct later *l)
{
	TAILQ_REMOVE(&l->peer->laters, l, link);
	timer_free(l->timer);
	free(l->bytes);
	free(l);
}

void
peer_free(struct peer *p)
{
	if (p == NULL)
		return;
	while (!TAILQ_EMPTY(&p->laters))
		later_free(TAILQ_FIRST(&p->laters));
	while (!TAILQ_EMPTY(&p->clients))
		client_free(TAILQ_FIRST(&p->clients));
	io_free(p->udp_io);
	io_free(p->tcp_io);
	close_both(p);
	free(p);
}

uint16_t
peer_port(const struct peer *p)
{
	return p->at.at.port;
}

void
peer_add_to(const struct peer *p, struct dns_servers *to, bool recursive)
{
	struct dns_server s = p->at;

	s.recursive = recursive;
	dns_servers_append(to, &s);
}

unsigned
peer_count(const struct peer *p)
{
	return p->count;
}

unsigned
peer_tcp_count(const struct peer *p)
{
	return p->tcp_count;
}

/* ---- sending ---- */

static void
transmit(const struct peer_client *c, const void *bytes, size_t len)
{
	uint8_t framed[2 + 65535];

	if (!c->tcp) {
		sendto(c->fd, bytes, len, MSG_DONTWAIT, (const struct sockaddr *)&c->from,
		    c->from_len);
		return;
	}
	framed[0] = (uint8_t)(len >> 8);
	framed[1] = (uint8_t)len;
	memcpy(framed + 2, bytes, len);
	send(c->fd, framed, 2 + len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
peer_send(const struct peer_query *q, const void *bytes, size_t len)
{
	transmit(q->client, bytes, len);
}

void
peer_send_raw(const struct peer_query *q, const void *bytes, size_t len)
{
	assert_true(q->tcp);
	send(q->client->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
peer_hang_up(const struct peer_query *q)
{
	assert_true(q->tcp);
	client_free(q->client);
}

static void
send_now(void *arg)
{
	struct later *l = arg;

	transmit(&l->to, l->bytes, l->len);
	later_free(l);
}

void
peer_send_later(const struct peer_query *q, const void *bytes, size_t len, int ms)
{
	struct later *l = xcalloc(1, sizeof(*l));

	assert_false(q->tcp);
	l->peer = q->peer;
	l->to = *q->client;
	l->bytes = xmemdup(bytes, len);
	l->len = len;
	l->timer = timer_new(q->peer->loop, send_now, l);
	TAILQ_INSERT_TAIL(&q->peer->laters, l, link);
	timer_start(l->timer, ms);
}
