/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/server_connection.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
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
	TAILQ_REMOVE(&s->connections, c, entry);
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

/* While a head comes in, evhttp must not see it: it gets the whole head at once, checked. */
static void
withhold_input(struct http_connection *c)
{
	bufferevent_setcb(c->bev, NULL, c->evhttp_write, c->evhttp_event, c->evcon);
}

static void
pass_input(struct http_connection *c)
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
 * died in the meantime, of which nobody told us either: false, and c is gone. */
static bool
adopt(struct http_connection *c)
{
	struct bufferevent *bev = c->bev;
	void *evcon;

	if (c->evcon != NULL)
		return true;
	task_cancel(&c->task);
	bufferevent_getcb(bev, &c->evhttp_read, &c->evhttp_write, &c->evhttp_event, &evcon);
	if (evcon != NULL) {
		assert(evhttp_connection_get_bufferevent(evcon) == bev);
		c->evcon = evcon;
		evhttp_connection_set_closecb(c->evcon, closed, c);
		begin_idle(c);
	} else {
		connection_free(c);
	}
	bufferevent_decref(bev);
	return evcon != NULL;
}

static void
adopt_task(void *arg)
{
	adopt(arg);
}

/* evhttp is given a request nobody can object to in the place of the one refused, so that the
 * refusal goes the way of all replies. */
static void
refuse(void *arg)
{
	static const char placeholder[] = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
	struct http_connection *c = arg;
	struct evbuffer *input = bufferevent_get_input(c->bev);

	c->server->receiving = c;
	evbuffer_drain(input, evbuffer_get_length(input));
	evbuffer_prepend(input, placeholder, sizeof(placeholder) - 1);
	pass_input(c);
	c->evhttp_read(c->bev, c->evcon);
}

static void
head_refused(struct http_connection *c, int status, const char *detail)
{
	c->phase = PHASE_REFUSED;
	c->refused = status;
	c->refused_detail = detail;
	withhold_input(c);
	task_post(c->server->loop, &c->task, refuse, c);
}

static void
head_complete(struct http_connection *c, size_t len)
{
	const struct http_server_conf *conf = &c->server->conf;
	const struct head_limits limits = {
	    .max_headers = conf->max_headers,
	    .max_body = conf->max_body,
	    .need_length = conf->need_length,
	};
	const char *detail = NULL;
	int status = head_parse(&c->head, c->raw.data, len, &limits, &detail);

	if (status != 0) {
		head_refused(c, status, detail);
		return;
	}
	c->phase = PHASE_BODY;
	pass_input(c);
}

/* Copies what is new of the head; false if it does not fit. */
static bool
collect_head(struct http_connection *c, struct evbuffer *input)
{
	char chunk[4096];
	struct evbuffer_ptr at;
	ev_ssize_t n;

	while (c->raw.len < evbuffer_get_length(input)) {
		size_t room = c->raw.max - c->raw.len;

		if (room == 0)
			return false;
		if (evbuffer_ptr_set(input, &at, c->raw.len, EVBUFFER_PTR_SET) != 0)
			return false;
		n = evbuffer_copyout_from(
		    input, &at, chunk, room < sizeof(chunk) ? room : sizeof(chunk));
		if (n <= 0 || !buf_add(&c->raw, chunk, (size_t)n))
			return false;
	}
	return true;
}

static void
head_input(struct http_connection *c, struct evbuffer *input)
{
	size_t seen = c->raw.len;
	bool fits = collect_head(c, input);
	size_t len = 0;

	switch (head_scan(c->raw.data, c->raw.len, seen, &len)) {
	case HEAD_COMPLETE:
		head_complete(c, len);
		return;
	case HEAD_MALFORMED:
		head_refused(c, 400, "this is not HTTP/1.1 with lines that end in CRLF");
		return;
	case HEAD_MORE:
		break;
	}
	if (fits)
		withhold_input(c);
	else
		head_refused(c, 400, "the headers are too large");
}

/* Runs while the bufferevent reads, directly before it calls its read callback: the one place that
 * always comes before evhttp, which sets its own callbacks anew for each request. */
static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_connection *c = arg;

	if (info->n_added == 0 || c->server->dying || !adopt(c))
		return;
	c->server->receiving = c;
	if (c->phase == PHASE_IDLE) {
		c->phase = PHASE_HEAD;
		timer_start(c->timer, c->server->conf.receive_ms);
	}
	if (c->phase == PHASE_HEAD)
		head_input(c, input);
}

struct bufferevent *
connection_accept(struct http_server *s)
{
	struct http_connection *c = xcalloc(1, sizeof(*c));

	c->server = s;
	c->bev = bufferevent_socket_new(loop_base(s->loop), -1, 0);
	if (c->bev == NULL)
		abort();
	c->timer = timer_new(s->loop, time_over, c);
	c->head.method = c->head.target = "";
	buf_init(&c->raw, s->conf.max_headers);
	c->input_cb = evbuffer_add_cb(bufferevent_get_input(c->bev), on_input, c);
	if (c->input_cb == NULL)
		abort();
	TAILQ_INSERT_TAIL(&s->connections, c, entry);
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
	/* Without a read callback no byte of input reaches evhttp, which would end the process over
	 * it in this state; end of file and errors still do, and are what we want to hear of. */
	withhold_input(c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, WATCH_MAX);
	bufferevent_enable(c->bev, EV_READ);
}

void
connection_unwatch(struct http_connection *c)
{
	bufferevent_disable(c->bev, EV_READ);
	bufferevent_setwatermark(c->bev, EV_READ, 0, input_max(c->server));
	pass_input(c);
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
	shutdown(bufferevent_getfd(bev), SHUT_WR);
	timer_start(c->timer, LINGER_MS);
	linger_read(bev, c);
	bufferevent_enable(bev, EV_READ);
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
}

void
connection_written(struct http_connection *c)
{
	begin_idle(c);
}

bool
connection_silence(struct http_connection *c)
{
	if (!adopt(c))
		return false;
	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	timer_stop(c->timer);
	task_cancel(&c->task);
	return true;
}
