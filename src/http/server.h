/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP servers on evhttp with strict checks and deferred replies.
 *
 * Checked before the handler runs; what fails is answered and the connection closed: one Host at
 * most (one for HTTP/1.1), origin-form targets only, no Transfer-Encoding, at most one
 * Content-Length of digits only, no body where none is taken, size limits, a deadline for the whole
 * request.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct http_exchange; /* one request that waits for its reply */
struct http_server;
struct listener;
struct loop;

struct http_reply {
	int status;
	const char *reason;       /* NULL: the standard one; printable ASCII, at most 80 bytes */
	const char *content_type; /* NULL with an empty body */
	const char *body;
	size_t body_len;
	struct http_header {
		const char *name;
		const char *value;
	} headers[6]; /* further ones; up to the first name NULL */
	bool close;   /* close the connection afterwards */
};

typedef void http_handler_fn(void *arg, struct http_exchange *x);
/* A request that failed the checks: fills in a body for status (400, 411, 413, 501, ...; detail
 * says why). The reply's texts must stay valid until the call after next. NULL: a plain line. */
typedef void http_refuse_fn(void *arg, int status, const char *detail, struct http_exchange *x);

struct http_server_conf {
	size_t max_headers; /* bytes */
	size_t max_body;    /* 0: requests with a body are refused */
	int64_t receive_ms; /* a whole request, first byte to last, must be here within this */
	int64_t idle_ms;    /* a kept-alive connection without a request */
	bool need_length;   /* POST without Content-Length is 411 */
	http_handler_fn *handler;
	http_refuse_fn *refuse; /* NULL: one plain line; else it replies itself */
	void *arg;
};

struct http_server *http_server_new(struct loop *loop, const struct http_server_conf *conf);
/* Drops connections; exchanges that still wait get their hang-up callback. NULL is fine. */
void http_server_free(struct http_server *s);
/* Serves on the listener, which must outlive the server or be detached by http_server_ignore. */
bool http_server_serve(struct http_server *s, struct listener *l, struct err *e);
/* No further connections from any listener; those there finish. */
void http_server_stop_accepting(struct http_server *s);

const char *http_exchange_method(const struct http_exchange *x); /* "GET", ... */
const char *http_exchange_target(
    const struct http_exchange *x); /* raw, never decoded, with the query */
const char *http_exchange_header(
    const struct http_exchange *x, const char *name); /* first, or NULL */
/* Calls fn for each header of that name in order (X-Forwarded-For may stand more than once). */
void http_exchange_headers(const struct http_exchange *x, const char *name,
    void (*fn)(const char *value, void *arg), void *arg);
const char *http_exchange_body(
    const struct http_exchange *x, size_t *ret_len); /* not NUL-terminated */
/* AF_UNIX for a unix socket. */
const struct sockaddr *http_exchange_peer(const struct http_exchange *x);
/* "192.0.2.1", "2001:db8::1" or "unix"; valid as long as the exchange. */
const char *http_exchange_peer_text(const struct http_exchange *x);

/* fn runs at most once if the client goes away (also half-closes) before the reply; the exchange is
 * gone when it returns. The body is not valid any more then. Set it when the reply is deferred. */
void http_exchange_on_hangup(struct http_exchange *x, void (*fn)(void *arg), void *arg);
/* Answers; the exchange is gone. HEAD gets no body. */
void http_exchange_reply(struct http_exchange *x, const struct http_reply *reply);
