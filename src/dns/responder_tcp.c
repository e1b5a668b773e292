/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/responder_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/queue.h"
#include "codec/ip.h"
#include "dns/responder_answer.h"
#include "dns/responder_table.h"
#include "ev/acceptor.h"
#include "ev/io.h"
#include "ev/loop.h"
#include "ev/timer.h"

enum {
	CONNECTIONS_MAX = 512,
	PER_CLIENT_MAX = 256, /* a CA that asks over TCP has one for each name and perspective */
	IDLE_MS = 10 * 1000,
	LENGTH = 2,       /* octets in front of each message (RFC 1035 4.2.2) */
	QUERY_MAX = 4096, /* a question, OPT with padding, TSIG: never near to that */
	ANSWER_MAX = 65535,
	PENDING_MAX = 16 * 1024, /* no further question is taken while so much is not sent */
	IPV6_NETWORK = 8,        /* octets of a /64 */
};

struct connection {
	TAILQ_ENTRY(connection) entry;
	struct responder_tcp *tcp;
	struct ip_addr client;
	int fd;
	struct io *io;
	struct timer *idle;
	bool eof; /* the client sends no more, but may still be reading */
	uint8_t in[LENGTH + QUERY_MAX];
	size_t in_len;
	struct buf out;
	size_t sent;
};

struct responder_tcp {
	struct loop *loop;
	const struct responder_table *table;
	struct responder_tcp_conf conf;
	TAILQ_HEAD(, connection) connections; /* the longest idle one first */
	unsigned count;
};

/* Its callbacks may be on the stack: the memory goes after the turn. */
static void
connection_close(struct connection *c)
{
	TAILQ_REMOVE(&c->tcp->connections, c, entry);
	c->tcp->count--;
	io_free(c->io);
	timer_free(c->idle);
	close(c->fd);
	buf_done(&c->out);
	loop_dispose(c->tcp->loop, free, c);
}

static void
idle_over(void *arg)
{
	connection_close(arg);
}

/* ---- one query ---- */

static size_t
pending(const struct connection *c)
{
	return c->out.len - c->sent;
}

static size_t
frame_length(const struct connection *c)
{
	return (size_t)c->in[0] << 8 | c->in[1];
}

static bool
frame_ready(const struct connection *c)
{
	return c->in_len >= LENGTH && c->in_len >= LENGTH + frame_length(c);
}

static bool
frame_too_long(const struct connection *c)
{
	return c->in_len >= LENGTH && frame_length(c) > QUERY_MAX;
}

/* Someone who asks stays; who only keeps the connection open does not. */
static void
touch(struct connection *c)
{
	TAILQ_REMOVE(&c->tcp->connections, c, entry);
	TAILQ_INSERT_TAIL(&c->tcp->connections, c, entry);
	timer_start(c->idle, c->tcp->conf.idle_ms);
}

static void
put_answer(struct connection *c, const struct responder_reply *reply)
{
	const uint8_t length[LENGTH] = {(uint8_t)(reply->len >> 8), (uint8_t)reply->len};

	buf_add(&c->out, length, sizeof(length));
	buf_add(&c->out, reply->bytes, reply->len);
	if (reply->served != NULL)
		responder_table_fetched(c->tcp->loop, reply->served);
	touch(c);
}

static void
answer_frame(struct connection *c)
{
	size_t len = frame_length(c);
	struct responder_reply reply;

	if (responder_answer(c->tcp->table, c->in + LENGTH, len, true, &reply)) {
		put_answer(c, &reply);
		free(reply.bytes);
	}
	c->in_len -= LENGTH + len;
	memmove(c->in, c->in + LENGTH + len, c->in_len);
}

/* ---- the connection ---- */

static void
reset_out(struct connection *c)
{
	buf_done(&c->out);
	buf_init(&c->out, PENDING_MAX + LENGTH + ANSWER_MAX);
	c->sent = 0;
}

/* Sends what the socket takes; false if the connection is broken. */
static bool
flush(struct connection *c)
{
	while (pending(c) > 0) {
		ssize_t n = send(c->fd, c->out.data + c->sent, pending(c), MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		c->sent += (size_t)n;
	}
	reset_out(c);
	return true;
}

/* Answers what is there and sends it, as long as both go on. */
static bool
serve(struct connection *c)
{
	do {
		while (frame_ready(c) && pending(c) < PENDING_MAX)
			answer_frame(c);
		if (!flush(c))
			return false;
	} while (pending(c) == 0 && frame_ready(c));
	return !buf_failed(&c->out);
}

static void
advance(struct connection *c)
{
	if (!serve(c) || frame_too_long(c) || (c->eof && pending(c) == 0))
		connection_close(c);
	else
		io_want(c->io, !c->eof && pending(c) == 0, pending(c) > 0);
}

static void
readable(void *arg)
{
	struct connection *c = arg;
	ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n < 0) {
		connection_close(c);
		return;
	}
	c->eof = n == 0;
	c->in_len += (size_t)n;
	advance(c);
}

static void
writable(void *arg)
{
	advance(arg);
}

/* ---- who may come in ---- */

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
	const struct connection *c;
	unsigned n = 0;

	TAILQ_FOREACH (c, &t->connections, entry)
		n += same_client(&c->client, client);
	return n >= t->conf.max_per_client;
}

static void
connection_new(struct responder_tcp *t, int fd, const struct ip_addr *client)
{
	struct connection *c = xcalloc(1, sizeof(*c));

	c->tcp = t;
	c->client = *client;
	c->fd = fd;
	c->io = io_new(t->loop, fd, readable, writable, c);
	c->idle = timer_new(t->loop, idle_over, c);
	reset_out(c);
	TAILQ_INSERT_TAIL(&t->connections, c, entry);
	t->count++;
	timer_start(c->idle, t->conf.idle_ms);
	io_want(c->io, true, false);
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
	if (t->count >= t->conf.max_connections)
		connection_close(TAILQ_FIRST(&t->connections));
	connection_new(t, fd, &client);
}

struct responder_tcp *
responder_tcp_new(
    struct loop *loop, const struct responder_table *table, const struct responder_tcp_conf *conf)
{
	struct responder_tcp *t = xcalloc(1, sizeof(*t));

	t->loop = loop;
	t->table = table;
	t->conf = *conf;
	if (t->conf.max_connections == 0)
		t->conf.max_connections = CONNECTIONS_MAX;
	if (t->conf.max_per_client == 0)
		t->conf.max_per_client = PER_CLIENT_MAX;
	if (t->conf.idle_ms == 0)
		t->conf.idle_ms = IDLE_MS;
	TAILQ_INIT(&t->connections);
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
	struct connection *c, *next;

	if (t == NULL)
		return;
	TAILQ_FOREACH_SAFE (c, &t->connections, entry, next)
		connection_close(c);
	free(t);
}
