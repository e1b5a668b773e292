/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server on loopback whose handler echoes, or keeps the exchange for the test. */
#pragma once

#include <stdio.h>

#include "http/server.h"
#include "tests/unit/http/raw_client.h"

struct fixture {
	struct loop *loop;
	struct listener *listener;
	struct http_server *server;
	struct http_server_conf conf;
	bool defer; /* the handler keeps the exchange */
	bool watch; /* and wants to hear of a hang-up */
	struct http_exchange *kept;
	int handled;
	int hung_up;
	char method[32];
	char target[256];
	char peer[64];
	char body[8192];
	size_t body_len;
};

static inline void
reply_text(struct http_exchange *x, int status, const char *text)
{
	http_exchange_reply(x,
	    &(struct http_reply){
		.status = status,
		.content_type = "text/plain",
		.body = text,
		.body_len = strlen(text),
	    });
}

static inline void
fixture_hangup(void *arg)
{
	struct fixture *f = arg;

	f->hung_up++;
	f->kept = NULL;
}

static inline void
fixture_handler(void *arg, struct http_exchange *x)
{
	struct fixture *f = arg;
	const char *body = http_exchange_body(x, &f->body_len);

	f->handled++;
	snprintf(f->method, sizeof(f->method), "%s", http_exchange_method(x));
	snprintf(f->target, sizeof(f->target), "%s", http_exchange_target(x));
	snprintf(f->peer, sizeof(f->peer), "%s", http_exchange_peer_text(x));
	memcpy(f->body, body, f->body_len);
	if (!f->defer) {
		reply_text(x, 200, "hello\n");
		return;
	}
	f->kept = x;
	if (f->watch)
		http_exchange_on_hangup(x, fixture_hangup, f);
}

static inline void
fixture_serve(struct fixture *f)
{
	f->server = http_server_new(f->loop, &f->conf);
	assert_true(http_server_serve(f->server, f->listener, NULL));
}

static inline int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = loop_new(NULL);
	f->listener = loopback_listener(f->loop);
	f->conf = (struct http_server_conf){
	    .max_headers = 2048,
	    .max_body = 4096,
	    .receive_ms = 30000,
	    .idle_ms = 30000,
	    .need_length = true,
	    .handler = fixture_handler,
	    .arg = f,
	};
	f->watch = true;
	fixture_serve(f);
	*state = f;
	return 0;
}

static inline int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	http_server_free(f->server);
	listener_free(f->listener);
	loop_free(f->loop);
	free(f);
	return 0;
}

/* Another server with the conf as it is now. */
static inline void
fixture_restart(struct fixture *f)
{
	http_server_free(f->server);
	fixture_serve(f);
}

static inline struct raw_client *
fixture_connect(struct fixture *f)
{
	return raw_connect(listener_address(f->listener));
}
