/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/server_connection.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "ev/timer.h"
#include "http/server_exchange.h"

enum {
	LINGER_MS = 2000,
	WATCH_MAX = 4096, /* input that is kept while an exchange waits */
};

static void
connection_free(struct http_connection *c)
{
	struct http_server *s = c->server;

	if (s->receiving == c)
		s->receiving = NULL;
	connection_tls_goodbye(c->bev);
	TAILQ_REMOVE(&s->connections, c, entry);
	s->conf.stats->closed++;
	evbuffer_remove_cb_entry(bufferevent_get_input(c->bev), c->input_cb);
	task_cancel(&c->task);
	timer_free(c->timer);
	buf_done(&c->raw);
	head_done(&c->head);
	free(c);
}

static void
closed(struct evhttp_connection *evcon, void *arg)
{
	struct http_connection *c = arg;
	struct http_exchange *x = c->exchange;

	c->exchange = NULL;
	connection_free(c);
	if (x != NULL)
		exchange_hung_up(x);
}

void
connection_close(struct http_connection *c)
{
	evhttp_connection_free(c->evcon); /* comes back through closed() */
}

static void
time_over(void *arg)
{
	connection_close(arg);
}

void
connection_withhold_input(struct http_connection *c)
{
	bufferevent_setcb(c->bev, NULL, c->evhttp_write, c->evhttp_event, c->evcon);
}

void
connection_pass_input(struct http_connection *c)
{
	bufferevent_setcb(c->bev, c->evhttp_read, c->evhttp_write, c->evhttp_event, c->evcon);
}

/* All input a request may have, so that nobody fills our memory. */
static size_t
input_max(const struct http_server *s)
{
	return s->conf.max_headers + s->conf.max_body + WATCH_MAX;
}

static void
begin_idle(struct http_connection *c)
{
	struct http_server *s = c->server;

	c->phase = PHASE_IDLE;
	c->watched = false;
	head_done(&c->head);
	buf_done(&c->raw);
	buf_init(&c->raw, s->conf.max_headers);
	bufferevent_setwatermark(c->bev, EV_READ, 0, input_max(s));
	timer_start(c->timer, s->conf.idle_ms);
	TAILQ_REMOVE(&s->connections, c, entry);
	TAILQ_INSERT_TAIL(&s->connections, c, entry);
}

/* evhttp makes its connection object around our bufferevent only after it asked for that, and does
 * not tell; but it is the argument of the bufferevent's callbacks. There are none if the connection
 * died in the meantime, of which nobody told us either. */
bool
connection_adopt(struct http_connection *c)
{
	struct bufferevent *bev = c->bev;
	void *evcon;
	bool alive;

	if (c->evcon != NULL)
		return true;
	task_cancel(&c->task);
	bufferevent_getcb(bev, &c->evhttp_read, &c->evhttp_write, &c->evhttp_event, &evcon);
	alive = evcon != NULL;
	if (alive) {
		assert(evhttp_connection_get_bufferevent(evcon) == bev);
		c->evcon = evcon;
		evhttp_connection_set_closecb(c->evcon, closed, c);
		begin_idle(c);
	} else {
		connection_free(c);
	}
	bufferevent_decref(bev);
	return alive;
}

static void
adopt_task(void *arg)
{
	connection_adopt(arg);
}

struct bufferevent *
connection_accept(struct http_server *s)
{
	struct http_connection *c = xcalloc(1, sizeof(*c));

	c->server = s;
	c->bev = s->conf.tls != NULL ? connection_tls_bufferevent(loop_base(s->loop), s->conf.tls)
				     : bufferevent_socket_new(loop_base(s->loop), -1, 0);
	if (c->bev == NULL)
		abort();
	c->timer = timer_new(s->loop, time_over, c);
	c->head.method = c->head.target = "";
	buf_init(&c->raw, s->conf.max_headers);
	gate_install(c);
	TAILQ_INSERT_TAIL(&s->connections, c, entry);
	s->conf.stats->accepted++;
	/* Should it die before it is adopted, this keeps what adopt() looks at. */
	bufferevent_incref(c->bev);
	task_post(s->loop, &c->task, adopt_task, c);
	return c->bev;
}

struct http_connection *
connection_of(struct http_server *s, struct evhttp_request *req)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	struct http_connection *c;

	if (s->receiving != NULL && s->receiving->evcon == evcon)
		return s->receiving;
	TAILQ_FOREACH (c, &s->connections, entry) {
		if (c->evcon == evcon)
			return c;
	}
	abort();
}

void
connection_watch(struct http_connection *c)
{
	c->watched = true;
	/* Without a read callback no byte of input reaches evhttp, which would end the process over
	 * it in this state; end of file and errors still do, and are what we want to hear of. */
	connection_withhold_input(c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, WATCH_MAX);
	bufferevent_enable(c->bev, EV_READ);
}

void
connection_unwatch(struct http_connection *c)
{
	bufferevent_disable(c->bev, EV_READ);
	bufferevent_setwatermark(c->bev, EV_READ, 0, input_max(c->server));
	connection_pass_input(c);
}

bool
connection_has_leftover(const struct http_connection *c)
{
	return c->refused != 0 || c->head.body_ignored ||
	    evbuffer_get_length(bufferevent_get_input(c->bev)) > 0;
}

static void
linger_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(bev);

	evbuffer_drain(input, evbuffer_get_length(input));
}

static void
linger_event(struct bufferevent *bev, short what, void *arg)
{
	connection_close(arg);
}

static void
linger_write(struct bufferevent *bev, void *arg)
{
	struct http_connection *c = arg;

	if (evbuffer_get_length(bufferevent_get_output(bev)) > 0 || c->phase == PHASE_LINGERING)
		return;
	c->phase = PHASE_LINGERING;
	connection_tls_goodbye(bev);
	shutdown(bufferevent_getfd(bev), SHUT_WR);
	timer_start(c->timer, LINGER_MS);
	linger_read(bev, c);
	bufferevent_enable(bev, EV_READ);
}

/* Most replies fit into the socket. Then nobody need wait until it can be written to, and the
 * kernel is not asked to tell. What does not fit, or fails, is left to the bufferevent. */
static void
write_now(void *arg)
{
	struct http_connection *c = arg;
	struct evbuffer *output = bufferevent_get_output(c->bev);

	if (c->phase != PHASE_WRITING || evbuffer_get_length(output) == 0)
		return;
	/* Only a bufferevent takes from its output, which it therefore keeps locked. */
	evbuffer_unfreeze(output, 1);
	evbuffer_write(output, bufferevent_getfd(c->bev));
	evbuffer_freeze(output, 1);
	if (evbuffer_get_length(output) == 0)
		c->evhttp_write(c->bev, c->evcon); /* may free c */
}

void
connection_writing(struct http_connection *c, bool linger)
{
	c->phase = PHASE_WRITING;
	timer_start(c->timer, c->server->conf.receive_ms);
	if (linger)
		bufferevent_setcb(c->bev, linger_read, linger_write, linger_event, c);
	/* A client that sent its request and then closed its half still gets this reply. */
	bufferevent_disable(c->bev, EV_READ);
	if (linger || c->server->conf.tls != NULL)
		return;
	if (c->watched)
		write_now(c);
	else
		task_post(c->server->loop, &c->task, write_now, c);
}

void
connection_written(struct http_connection *c)
{
	begin_idle(c);
}

bool
connection_silence(struct http_connection *c)
{
	if (!connection_adopt(c))
		return false;
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	timer_stop(c->timer);
	task_cancel(&c->task);
	return true;
}
