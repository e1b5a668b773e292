/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/server_exchange.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "codec/ip.h"
#include "ev/timer.h"
#include "http/server_connection.h"

struct http_exchange {
	struct http_connection *connection; /* NULL: the client or the server is gone */
	struct evhttp_request *req;
	struct sockaddr_storage peer;
	char peer_text[IP_ADDR_TEXT];
	void (*hangup)(void *arg);
	void *arg;
};

static void
note_peer(struct http_exchange *x, const struct sockaddr *sa)
{
	struct ip_addr ip;

	if (ip_addr_from_sockaddr(sa, &ip)) {
		memcpy(&x->peer, sa,
		    sa->sa_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6));
		ip_addr_format(&ip, x->peer_text);
	} else {
		x->peer.ss_family = AF_UNIX;
		snprintf(x->peer_text, sizeof(x->peer_text), "unix");
	}
}

static void
refuse(struct http_exchange *x, const struct http_server_conf *conf, int status, const char *detail)
{
	char body[256];

	if (conf->refuse != NULL) {
		conf->refuse(conf->arg, status, detail, x);
		return;
	}
	snprintf(body, sizeof(body), "%s\n", detail);
	http_exchange_reply(x,
	    &(struct http_reply){
		.status = status,
		.content_type = "text/plain",
		.body = body,
		.body_len = strlen(body),
		.close = true,
	    });
}

/* Whoever replies later has what he needs of it; a kilobyte of buffer need not wait with him. */
static void
drop_body(struct evhttp_request *req)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(req);

	evbuffer_drain(body, evbuffer_get_length(body));
}

void
exchange_begin(struct http_connection *c, struct evhttp_request *req)
{
	const struct http_server_conf *conf = &c->server->conf;
	struct http_exchange *x = xcalloc(1, sizeof(*x));

	x->connection = c;
	x->req = req;
	note_peer(x, evhttp_connection_get_addr(c->evcon));
	c->exchange = x;
	c->phase = PHASE_HANDLING;
	timer_stop(c->timer);
	if (c->refused != 0)
		refuse(x, conf, c->refused, c->refused_detail);
	else
		conf->handler(conf->arg, x);
	/* Still there: the reply is deferred. (c itself lives at least until the end of this turn.)
	 */
	if (c->exchange != NULL) {
		drop_body(req);
		connection_watch(c);
	}
}

void
exchange_hung_up(struct http_exchange *x)
{
	x->connection = NULL;
	/* Without a connection the request is ours to free; with one evhttp does it. */
	if (evhttp_request_get_connection(x->req) == NULL)
		evhttp_request_free(x->req);
	x->req = NULL;
	if (x->hangup != NULL)
		x->hangup(x->arg);
	free(x);
}

const char *
http_exchange_method(const struct http_exchange *x)
{
	return x->connection == NULL ? "" : x->connection->head.method;
}

const char *
http_exchange_target(const struct http_exchange *x)
{
	return x->connection == NULL ? "" : x->connection->head.target;
}

const char *
http_exchange_header(const struct http_exchange *x, const char *name)
{
	return x->connection == NULL ? NULL : head_field(&x->connection->head, name);
}

void
http_exchange_headers(const struct http_exchange *x, const char *name,
    void (*fn)(const char *value, void *arg), void *arg)
{
	const struct request_head *head;

	if (x->connection == NULL)
		return;
	head = &x->connection->head;
	for (size_t i = 0; i < head->field_count; i++) {
		if (strcasecmp(head->fields[i].name, name) == 0)
			fn(head->fields[i].value, arg);
	}
}

const char *
http_exchange_body(const struct http_exchange *x, size_t *ret_len)
{
	struct evbuffer *buffer;

	*ret_len = 0;
	if (x->req == NULL)
		return "";
	buffer = evhttp_request_get_input_buffer(x->req);
	*ret_len = evbuffer_get_length(buffer);
	return *ret_len == 0 ? "" : (const char *)evbuffer_pullup(buffer, -1);
}

const struct sockaddr *
http_exchange_peer(const struct http_exchange *x)
{
	return (const struct sockaddr *)&x->peer;
}

const char *
http_exchange_peer_text(const struct http_exchange *x)
{
	return x->peer_text;
}

void
http_exchange_on_hangup(struct http_exchange *x, void (*fn)(void *arg), void *arg)
{
	x->hangup = fn;
	x->arg = arg;
}

void
http_exchange_reply(struct http_exchange *x, const struct http_reply *reply)
{
	struct http_connection *c = x->connection;

	if (c == NULL)
		return; /* from within its own hang-up callback, after which it is freed */
	c->exchange = NULL;
	connection_unwatch(c);
	connection_reply(c, x->req, reply);
	free(x);
}
