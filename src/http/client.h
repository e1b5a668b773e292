/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A non-blocking HTTP/1.1 client with keep-alive, for https and http: one
 * bounded pool of connections per origin, further calls wait in order. It does
 * not retry and follows no redirects.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/uri.h"

struct http_client;
struct loop;
struct op;
struct resolver;
struct ssl_ctx_st;

/* What a client has counted. */
struct http_client_stats {
	uint64_t opened; /* connections, whether or not they came to stand */
	uint64_t closed;
};

struct http_client_conf {
	struct ssl_ctx_st *tls;   /* borrowed; may be NULL where no https is called */
	const char *user_agent;   /* borrowed, "acmems/VERSION" */
	unsigned max_connections; /* per origin */
	size_t max_body;          /* bytes of an answer */
	size_t max_headers;
	int64_t idle_ms; /* an unused connection is closed after this */
};

struct http_client *http_client_new(
    struct loop *loop, struct resolver *resolver, const struct http_client_conf *conf);
/* Cancels every call in flight without running completions. NULL is fine. */
void http_client_free(struct http_client *c);

/* Connections made from now on trust what tls does; none resumes a session that was made before. */
void http_client_trust(struct http_client *c, struct ssl_ctx_st *tls);
const struct http_client_stats *http_client_stats(const struct http_client *c);

struct http_call {
	bool post;                /* else GET */
	bool head;                /* HEAD */
	const struct uri *uri;    /* copied */
	const char *content_type; /* of the body; copied */
	const char *body;         /* copied; NULL: none */
	size_t body_len;
	const char *accept; /* Accept header; copied; NULL: none */
	bool fresh;         /* on a new connection, never a kept one: after a stale one */
	int64_t timeout_ms; /* for everything: queueing, look-up, connect, TLS, answer */
};

struct http_answer {
	int status; /* 0: no answer, see the error */
	bool stale; /* no answer: a reused connection was closed by the peer before the first byte;
		       sending anew is safe */
	const char *body; /* NUL-terminated; valid during the completion */
	size_t body_len;
	void *headers; /* use http_answer_header */
};
/* First header of that name (any case), or NULL. */
const char *http_answer_header(const struct http_answer *answer, const char *name);

/* answer is never NULL; e is NULL if there is a status. Errors name the host and the reason: cannot
 * be looked up, refused, certificate not trusted (with OpenSSL's reason), too large, timeout.
 * Kinds: ERR_UNREACHABLE, ERR_UPSTREAM (nonsense, too large). */
typedef void http_done_fn(void *arg, const struct http_answer *answer, const struct err *e);
void http_call_start(struct http_client *c, const struct http_call *call, http_done_fn *done,
    void *arg, struct op **slot);
