/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection of a server: the gate in front of evhttp, the deadline, and
 * the exchange that waits for its reply. Internal to the server's files.
 *
 * The connection belongs to evhttp, which tells through the close callback
 * that it is gone; that frees our half. At most one exchange exists at a time.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/queue.h"
#include "ev/loop.h"
#include "http/server.h"
#include "http/server_head.h"

struct bufferevent;
struct evbuffer_cb_entry;
struct event_base;
struct evhttp;
struct evhttp_bound_socket;
struct evhttp_connection;
struct evhttp_request;
struct timer;

/* A listener we serve on. */
struct http_binding {
	TAILQ_ENTRY(http_binding) entry;
	struct http_server *server;
	struct listener *listener;
	struct evhttp_bound_socket *bound;
};

struct http_server {
	struct loop *loop;
	struct http_server_conf conf; /* its stats are never NULL */
	struct http_server_stats own_stats;
	struct evhttp *evhttp;
	bool dying; /* freed by its owner, at the end of this turn by us */
	TAILQ_HEAD(, http_binding) bindings;
	/* Those that wait for a request stand in the order in which they began to. */
	TAILQ_HEAD(, http_connection) connections;
	struct http_connection *receiving; /* the one input came for last */
	struct task evict;
};

enum connection_phase {
	PHASE_IDLE,     /* not a byte of a request yet */
	PHASE_HEAD,     /* the head comes in; evhttp does not see it */
	PHASE_REFUSED,  /* the head failed the checks; refused after this turn */
	PHASE_BODY,     /* evhttp reads */
	PHASE_HANDLING, /* an exchange exists */
	PHASE_WRITING,  /* the reply goes out */
	PHASE_LINGERING,
};

struct http_connection {
	TAILQ_ENTRY(http_connection) entry;
	struct http_server *server;
	enum connection_phase phase;
	struct timer *timer; /* ends the connection, whatever it waits for */

	struct bufferevent *bev;
	struct evhttp_connection *evcon; /* NULL until adopted */
	struct evbuffer_cb_entry *input_cb;
	struct task task;                                         /* adopt, later refuse */
	void (*evhttp_read)(struct bufferevent *bev, void *arg);  /* evhttp's own callbacks, */
	void (*evhttp_write)(struct bufferevent *bev, void *arg); /* their argument is evcon */
	void (*evhttp_event)(struct bufferevent *bev, short what, void *arg);

	struct buf raw; /* the head as it came */
	struct request_head head;
	int refused; /* status the head was refused with, or 0 */
	const char *refused_detail;
	struct http_exchange *exchange;
	bool watched; /* evhttp is not on the stack any more when it is answered */
};

/* server_tls.c: a bufferevent that speaks TLS, and its end in due form. Never NULL. */
struct bufferevent *connection_tls_bufferevent(struct event_base *base, struct ssl_ctx_st *tls);
void connection_tls_goodbye(struct bufferevent *bev); /* one that speaks no TLS is fine */

/* server_gate.c: from now on input is checked before evhttp sees it. */
void gate_install(struct http_connection *c);

/* For evhttp: makes the bufferevent of a connection that is being accepted. */
struct bufferevent *connection_accept(struct http_server *s);
/* Finds evhttp's half, before anything else is done with the connection. False if that died, and c
 * with it. */
bool connection_adopt(struct http_connection *c);
/* Whether evhttp gets to see the input. */
void connection_withhold_input(struct http_connection *c);
void connection_pass_input(struct http_connection *c);
/* Of a request evhttp hands over. Never NULL. */
struct http_connection *connection_of(struct http_server *s, struct evhttp_request *req);
/* Watches for a client that hangs up while its exchange waits. */
void connection_watch(struct http_connection *c);
/* Undoes that; the reply comes next. */
void connection_unwatch(struct http_connection *c);
/* True if there is input behind the request, or will be: it must not be parsed as the next one. */
bool connection_has_leftover(const struct http_connection *c);
/* server_reply.c: hands the reply to evhttp. */
void connection_reply(
    struct http_connection *c, struct evhttp_request *req, const struct http_reply *reply);
/* The reply was handed to evhttp. linger: read what the client still sends before closing, since
 * closing with unread input resets the connection and the client may lose the reply. */
void connection_writing(struct http_connection *c, bool linger);
/* The reply is out, and the connection stays. */
void connection_written(struct http_connection *c);
/* Closes and frees; a waiting exchange hears that its client is gone. */
void connection_close(struct http_connection *c);
/* No callback of this connection will run any more; it is freed with evhttp. False if it was dead
 * already and is freed. */
bool connection_silence(struct http_connection *c);
