/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of the HTTP client, for its own files.
 *
 *   client.c             the public functions
 *   client_pool.c        origins: connections kept, calls that wait for one
 *   client_call.c        one call: look-up, addresses in turn, deadline, result
 *   client_connection.c  one connection to one address, on evhttp
 *   client_tls.c         its TLS
 *
 * A call is owned by its caller's slot, a connection by its origin, an origin by the client. A call
 * and the connection it uses point at each other. A connection is never freed under libevent's
 * feet: it is silenced at once and disposed of after the turn.
 */
#pragma once

#include <stdbool.h>

#include "base/queue.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/resolve.h"
#include "http/client.h"

struct bufferevent;
struct evbuffer_cb_entry;
struct evhttp_connection;
struct evhttp_request;
struct ssl_session_st;
struct ssl_st;
struct timer;

struct http_client {
	struct loop *loop;
	struct resolver *resolver;
	struct http_client_conf conf;
	struct http_client_stats stats;
	TAILQ_HEAD(, client_origin) origins;
	TAILQ_HEAD(, client_call) calls;
};

struct client_origin {
	TAILQ_ENTRY(client_origin) entry;
	struct http_client *client;
	struct uri uri;           /* of the first call; its target means nothing */
	char name[HOST_MAX + 16]; /* as in a Host header; for texts too */
	unsigned places;          /* taken by connections and by calls that are about to connect */
	unsigned calls;
	TAILQ_HEAD(idle_connections, client_connection) idle;
	TAILQ_HEAD(, client_call) waiting;
	struct task pump;
	struct ssl_session_st *session; /* of the last TLS connection, to resume */
};

enum call_state {
	CALL_WAITING,    /* for a place */
	CALL_RESOLVING,  /* has a place */
	CALL_CONNECTING, /* has a connection, which has the place */
	CALL_SENT,
	CALL_FINISHED, /* completes after this turn */
};

struct client_call {
	struct op op;
	TAILQ_ENTRY(client_call) entry;   /* of the client */
	TAILQ_ENTRY(client_call) waiting; /* of the origin */
	struct http_client *client;
	struct client_origin *origin;
	enum call_state state;

	bool post;
	bool head;
	bool fresh;
	char *target;
	char *content_type;
	char *accept;
	char *body;
	size_t body_len;
	int64_t deadline;
	http_done_fn *done;
	void *arg;

	struct timer *timer;   /* the deadline */
	struct timer *attempt; /* the time one address has, if there are further ones */
	struct op *resolve;
	struct resolved *addresses; /* NULL: it needed none */
	size_t next_address;
	struct client_connection *connection;

	struct task task;
	struct http_answer answer;
	struct evhttp_request *request; /* the answer's headers; owned */
	char *answer_body;
	struct err *error;
};

struct client_connection {
	TAILQ_ENTRY(client_connection) entry; /* of the idle ones */
	struct client_origin *origin;
	struct client_call *call;
	bool idle; /* in the origin's list */
	struct bufferevent *bev;
	struct ssl_st *ssl; /* belongs to bev; NULL: plain */
	struct evhttp_connection *evcon;
	struct evbuffer_cb_entry *input_cb;
	void (*evhttp_event)(struct bufferevent *bev, short what, void *arg);
	struct timer *idle_timer;
	struct task settle;

	bool connected; /* TLS included */
	bool reached;   /* the address answered at least */
	bool closed;    /* evhttp has closed it */
	bool reused;
	size_t received; /* bytes of the answer */
	int connect_errno;
	char tls_error[256];
	/* The outcome, for settle: */
	struct evhttp_request *answer; /* owned; NULL: failed, */
	int failure;                   /* with this enum evhttp_request_error, or -1 */
};

/* client_pool.c */
struct client_origin *origin_get(struct http_client *c, const struct uri *uri);
void origin_free(struct client_origin *o);
/* Gives the call a connection, a place to make one, or has it wait. */
void origin_dispatch(struct client_origin *o, struct client_call *call);
void origin_leave_queue(struct client_origin *o, struct client_call *call);
/* A place is free, or a connection idle: after this turn those who wait have a look. */
void origin_release_place(struct client_origin *o);
void origin_keep(struct client_origin *o, struct client_connection *conn);

/* client_call.c */
void call_connect(struct client_call *call); /* it has a place */
void call_send(struct client_call *call, struct client_connection *conn);
/* What became of its connection's request. The connection is still the call's. */
void call_settled(struct client_call *call, struct client_connection *conn);
void call_deadline(void *arg);
void call_attempt_over(void *arg);
void call_cancel(struct op *op);

/* client_connection.c */
struct client_connection *connection_open(struct client_origin *o, struct client_call *call,
    const struct sockaddr_storage *sa, socklen_t len);
/* Sends the call's request on a connection that is open. */
void connection_send(struct client_connection *conn, struct client_call *call);
/* Whether another request may follow on it. */
bool connection_reusable(const struct client_connection *conn);
/* Why there was no answer. */
void connection_explain(const struct client_connection *conn, struct err *e);
/* Gives up its place; nobody hears of it any more. */
void connection_drop(struct client_connection *conn);
void connection_idle_over(void *arg);

/* client_tls.c */
/* No session is resumed. */
void client_tls_forget_session(struct client_origin *o);
/* Has new sessions kept for their origin. */
void client_tls_keep_sessions(struct ssl_ctx_st *tls);
/* Verifies that the peer is the origin. */
struct ssl_st *client_tls_new(struct client_connection *conn);
/* Whether the peer took a byte: TCP is connected. */
bool client_tls_reached(const struct ssl_st *ssl);
/* Notes why there is no TLS; error: OpenSSL's, or 0. */
void client_tls_explain(struct client_connection *conn, unsigned long error);
/* The connection is going, the SSL object is not yet. */
void client_tls_forget(struct ssl_st *ssl);
/* Ends TLS in due form, without which the session could not be resumed. */
void client_tls_goodbye(struct ssl_st *ssl);
