/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes the place of http/client.c: each call is handed to a handler, which says
 * what comes back and when. There is no network and no thread; delays run on the
 * fake clock. fake_ca.h builds a whole CA on it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct http_client;
struct loop;

struct fake_http_request {
	const char *method; /* "GET", "POST", "HEAD" */
	const char *url;
	const char *content_type; /* or NULL */
	const char *accept;       /* or NULL */
	const char *body;         /* NUL-terminated; or NULL */
	bool fresh;               /* a new connection was asked for */
	int64_t timeout_ms;
};

enum fake_http_outcome {
	FAKE_HTTP_ANSWER,  /* status, headers, body */
	FAKE_HTTP_REFUSED, /* no connection: ERR_UNREACHABLE */
	FAKE_HTTP_STALE,   /* a kept connection was closed by the peer */
	FAKE_HTTP_SILENT,  /* nothing at all until the call's timeout */
};

enum { FAKE_HTTP_HEADERS = 8 };

struct fake_http_reply {
	enum fake_http_outcome outcome;
	int64_t delay_ms;
	int status;
	struct {
		char name[32];
		char value[512];
	} headers[FAKE_HTTP_HEADERS];
	size_t header_count;
	char *body; /* malloc'ed, taken over; NULL: empty */
};

/* Runs when the call is sent, after the turn it was started in. */
typedef void fake_http_handler_fn(
    void *arg, const struct fake_http_request *request, struct fake_http_reply *reply);
void fake_http_handle(fake_http_handler_fn *handler, void *arg);

/* For handlers. */
void fake_http_status(struct fake_http_reply *reply, int status, const char *body);
void fake_http_header(struct fake_http_reply *reply, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

size_t fake_http_open(void);                             /* calls in flight */
size_t fake_http_calls(void);                            /* since the last reset */
void fake_http_reset(void);                              /* no handler, counts 0 */
struct http_client *fake_http_client(struct loop *loop); /* http_client_new without the rest */
