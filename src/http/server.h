/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP servers on evhttp with strict checks and deferred replies.
 *
 * The raw head of every request is checked before evhttp sees it; what fails is answered and the
 * connection closed: request line and headers by the letter of RFC 9112 (no bare LF, no folding, no
 * NUL, no blank before a colon), origin-form targets only, exactly one Host (HTTP/1.0 may omit it),
 * no Transfer-Encoding, at most one Content-Length of digits only, no body where none is taken,
 * size limits, no expectation but 100-continue, and a deadline for the whole request.
 *
 * A pipelined request is not read: the reply before it closes the connection, as RFC 9112 9.3.2
 * allows.
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
struct ssl_ctx_st;

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
/* A request that failed the checks with status (400, 404, 411, 413, 417, 501, 505); detail is a
 * sentence that says why. Has to reply before it returns. Method and target are "" and headers
 * missing where the head could not be parsed that far. */
typedef void http_refuse_fn(void *arg, int status, const char *detail, struct http_exchange *x);

enum { HTTP_STATUSES = 17 };
/* What a server has counted. */
struct http_server_stats {
	uint64_t accepted; /* connections */
	uint64_t closed;
	uint64_t replies[HTTP_STATUSES + 1]; /* by http_status_at; the last: any other status */
};
/* The statuses that are counted one by one; 0 for i = HTTP_STATUSES. */
int http_status_at(size_t i);

struct http_server_conf {
	size_t max_headers; /* bytes */
	size_t max_body;    /* 0: requests with a body are refused */
	/* For this target, at most max_body; NULL: max_body for all. */
	size_t (*max_body_of)(void *arg, const char *target);
	int64_t receive_ms; /* a whole request, first byte to last, must be here within this */
	int64_t idle_ms;    /* a kept-alive connection without a request */
	bool need_length;   /* POST without Content-Length is 411 */
	/* Of tls_server_context, borrowed: nothing but TLS is spoken. NULL: plain. */
	struct ssl_ctx_st *tls;
	http_handler_fn *handler;
	http_refuse_fn *refuse; /* NULL: one plain line; else it replies itself */
	void *arg;
	struct http_server_stats *stats; /* borrowed: counts into it; NULL: into its own */
};

struct http_server *http_server_new(struct loop *loop, const struct http_server_conf *conf);
/* Drops connections; exchanges that still wait get their hang-up callback before it returns. NULL
 * is fine. */
void http_server_free(struct http_server *s);
/* Serves on the listener until either is freed, in any order, or another server takes the listener.
 */
bool http_server_serve(struct http_server *s, struct listener *l, struct err *e);
/* For requests whose head comes from now on. */
void http_server_set_max_body(struct http_server *s, size_t max_body);
/* No further connections from any listener; those there finish. */
void http_server_stop_accepting(struct http_server *s);
const struct http_server_stats *http_server_stats(const struct http_server *s);
/* Requests that are not answered to the last byte: the way down waits for them. */
size_t http_server_pending(const struct http_server *s);

const char *http_exchange_method(const struct http_exchange *x); /* "GET", ... */
const char *http_exchange_target(
    const struct http_exchange *x); /* raw, never decoded, with the query */
const char *http_exchange_header(
    const struct http_exchange *x, const char *name); /* first, or NULL */
/* Calls fn for each header of that name in order (X-Forwarded-For may stand more than once). */
void http_exchange_headers(const struct http_exchange *x, const char *name,
    void (*fn)(const char *value, void *arg), void *arg);
/* Not NUL-terminated. Valid while the handler runs: who replies later copies what he needs. */
const char *http_exchange_body(const struct http_exchange *x, size_t *ret_len);
/* AF_UNIX for a unix socket. */
const struct sockaddr *http_exchange_peer(const struct http_exchange *x);
/* "192.0.2.1", "2001:db8::1" or "unix"; valid as long as the exchange. */
const char *http_exchange_peer_text(const struct http_exchange *x);

/* fn runs at most once if the client goes away (also half-closes) before the reply; the exchange is
 * gone when it returns. Set it when the reply is deferred. */
void http_exchange_on_hangup(struct http_exchange *x, void (*fn)(void *arg), void *arg);
/* Answers; the exchange is gone. HEAD gets no body. */
void http_exchange_reply(struct http_exchange *x, const struct http_reply *reply);
