/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/server.h"

#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "ev/listener.h"
#include "http/server_connection.h"
#include "http/server_exchange.h"

enum {
	EVICT_MAX = 16, /* idle connections closed at once when descriptors are short */
	SHORT_PAUSE_MS = 100,
};

/* Every method, those it does not know included: the handler answers 405. */
static const ev_uint16_t all_methods = 0xffff;

/* Connections that wait for a request nobody has begun to send are what gives descriptors back to
 * those who have something to say. */
static void
evict_idle(void *arg)
{
	struct http_server *s = arg;
	struct http_connection *c;
	struct http_connection *next;
	int n = 0;

	TAILQ_FOREACH_SAFE (c, &s->connections, entry, next) {
		if (c->phase != PHASE_IDLE || c->evcon == NULL)
			continue;
		connection_close(c);
		if (++n == EVICT_MAX)
			return;
	}
}

static void
guard_descriptors(struct http_server *s)
{
	struct http_binding *b = TAILQ_FIRST(&s->bindings);

	if (b == NULL || !listener_short_of_descriptors(b->listener))
		return;
	TAILQ_FOREACH (b, &s->bindings, entry)
		listener_pause(b->listener, SHORT_PAUSE_MS);
	task_post(s->loop, &s->evict, evict_idle, s);
}

/* evhttp accepted a connection and wants its bufferevent. */
static struct bufferevent *
accepting(struct event_base *base, void *arg)
{
	struct http_server *s = arg;

	guard_descriptors(s);
	return connection_accept(s);
}

static void
requested(struct evhttp_request *req, void *arg)
{
	struct http_server *s = arg;

	exchange_begin(connection_of(s, req), req);
}

struct http_server *
http_server_new(struct loop *loop, const struct http_server_conf *conf)
{
	struct http_server *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->conf = *conf;
	if (s->conf.stats == NULL)
		s->conf.stats = &s->own_stats;
	TAILQ_INIT(&s->bindings);
	TAILQ_INIT(&s->connections);
	s->evhttp = evhttp_new(loop_base(loop));
	if (s->evhttp == NULL)
		abort();
	evhttp_set_allowed_methods(s->evhttp, all_methods);
	evhttp_set_default_content_type(s->evhttp, NULL);
	evhttp_set_bevcb(s->evhttp, accepting, s);
	evhttp_set_gencb(s->evhttp, requested, s);
	return s;
}

/* The listener is freed or goes to another server. */
static void
unbind(void *arg)
{
	struct http_binding *b = arg;

	TAILQ_REMOVE(&b->server->bindings, b, entry);
	evhttp_del_accept_socket(b->server->evhttp, b->bound); /* frees the loan */
	listener_return(b->listener);
	free(b);
}

bool
http_server_serve(struct http_server *s, struct listener *l, struct err *e)
{
	struct http_binding *b = xcalloc(1, sizeof(*b));
	struct evconnlistener *lent = listener_lend(l, unbind, b);

	if (lent == NULL) {
		free(b);
		return err_set(e, ERR_INTERNAL, "cannot accept on %s", listener_address(l)->text);
	}
	b->server = s;
	b->listener = l;
	b->bound = evhttp_bind_listener(s->evhttp, lent);
	if (b->bound == NULL)
		abort();
	TAILQ_INSERT_TAIL(&s->bindings, b, entry);
	return true;
}

void
http_server_set_max_body(struct http_server *s, size_t max_body)
{
	s->conf.max_body = max_body;
}

void
http_server_stop_accepting(struct http_server *s)
{
	struct http_binding *b;

	while ((b = TAILQ_FIRST(&s->bindings)) != NULL)
		unbind(b);
}

const struct http_server_stats *
http_server_stats(const struct http_server *s)
{
	return s->conf.stats;
}

size_t
http_server_pending(const struct http_server *s)
{
	const struct http_connection *c;
	size_t n = 0;

	TAILQ_FOREACH (c, &s->connections, entry)
		n += c->phase == PHASE_HANDLING || c->phase == PHASE_WRITING;
	return n;
}

static void
server_destroy(void *ptr)
{
	struct http_server *s = ptr;

	evhttp_free(s->evhttp); /* frees the connections, each of which frees our half */
	free(s);
}

/* Connections end later than we do, and whoever lent the counters may be gone by then. */
static void
stop_counting(struct http_server *s)
{
	const struct http_connection *c;

	TAILQ_FOREACH (c, &s->connections, entry)
		s->conf.stats->closed++;
	s->conf.stats = &s->own_stats;
}

void
http_server_free(struct http_server *s)
{
	struct http_connection *c;
	struct http_connection *next;
	struct http_exchange *x;

	if (s == NULL)
		return;
	s->dying = true;
	stop_counting(s);
	http_server_stop_accepting(s);
	task_cancel(&s->evict);
	TAILQ_FOREACH_SAFE (c, &s->connections, entry, next) {
		if (!connection_silence(c) || c->exchange == NULL)
			continue;
		x = c->exchange;
		c->exchange = NULL;
		exchange_hung_up(x);
	}
	/* One of its callbacks may be on the stack. */
	loop_dispose(s->loop, server_destroy, s);
}
