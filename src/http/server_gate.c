/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gate: while a head comes in, evhttp sees nothing of it. It gets the whole
 * head at once, checked; or, if the head fails the checks, a harmless one in its
 * place.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>

#include "ev/timer.h"
#include "http/server_connection.h"

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
	connection_pass_input(c);
	c->evhttp_read(c->bev, c->evcon);
}

static void
head_refused(struct http_connection *c, int status, const char *detail)
{
	c->phase = PHASE_REFUSED;
	c->refused = status;
	c->refused_detail = detail;
	connection_withhold_input(c);
	task_post(c->server->loop, &c->task, refuse, c);
}

static void
head_complete(struct http_connection *c, size_t len)
{
	const struct http_server_conf *conf = &c->server->conf;
	const struct head_limits limits = {
	    .max_headers = conf->max_headers,
	    .max_body = conf->max_body,
	    .max_body_of = conf->max_body_of,
	    .arg = conf->arg,
	    .need_length = conf->need_length,
	};
	const char *detail = NULL;
	int status = head_parse(&c->head, c->raw.data, len, &limits, &detail);

	if (status != 0) {
		head_refused(c, status, detail);
		return;
	}
	buf_done(&c->raw); /* the head has a copy */
	buf_init(&c->raw, conf->max_headers);
	c->phase = PHASE_BODY;
	connection_pass_input(c);
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
		connection_withhold_input(c);
	else
		head_refused(c, 400, "the headers are too large");
}

/* Runs while the bufferevent reads, directly before it calls its read callback: the one place that
 * always comes before evhttp, which sets its own callbacks anew for each request. */
static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_connection *c = arg;

	if (info->n_added == 0 || c->server->dying || !connection_adopt(c))
		return;
	c->server->receiving = c;
	if (c->phase == PHASE_IDLE) {
		c->phase = PHASE_HEAD;
		timer_start(c->timer, c->server->conf.receive_ms);
	}
	if (c->phase == PHASE_HEAD)
		head_input(c, input);
}

void
gate_install(struct http_connection *c)
{
	c->input_cb = evbuffer_add_cb(bufferevent_get_input(c->bev), on_input, c);
	if (c->input_cb == NULL)
		abort();
}
