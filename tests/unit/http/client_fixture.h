/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client, and what became of its calls. */
#pragma once

#include <stdio.h>
#include <unistd.h>

#include "ev/op.h"
#include "ev/resolve.h"
#include "http/client.h"
#include "http/tls.h"
#include "tests/unit/http/script_server.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

struct fixture {
	struct loop *loop;
	struct resolver *resolver;
	struct http_client *client;
	struct http_client_conf conf;
	struct script_server *server;
	struct cert ca;
	struct cert leaf;
	char ca_path[64];
};

struct asked {
	struct op *slot;
	int done;
	int status;
	bool stale;
	size_t len;
	char body[64];
	char header[64]; /* X-Test */
	struct err error;
};

static inline void
client_restart(struct fixture *f)
{
	http_client_free(f->client);
	f->client = http_client_new(f->loop, f->resolver, &f->conf);
}

static inline int
client_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	f->loop = loop_new(NULL);
	f->resolver = resolver_new(f->loop, NULL);
	f->ca = cert_make("ca", NULL, NULL, 30);
	f->leaf = cert_make("leaf", "DNS:localhost,IP:127.0.0.1", &f->ca, 30);
	strcpy(f->ca_path, "/tmp/acmems-client-XXXXXX");
	fd = mkstemp(f->ca_path);
	assert_true(fd >= 0);
	close(fd);
	cert_write(&f->ca, f->ca_path);
	f->conf = (struct http_client_conf){
	    .tls = tls_client_context(f->ca_path, NULL),
	    .user_agent = "acmems/test",
	    .max_connections = 2,
	    .max_body = 10000,
	    .max_headers = 2000,
	    .idle_ms = 60000,
	};
	client_restart(f);
	*state = f;
	return 0;
}

static inline int
client_teardown(void **state)
{
	struct fixture *f = *state;

	http_client_free(f->client);
	resolver_free(f->resolver);
	script_free(f->server);
	tls_context_free(f->conf.tls);
	cert_done(&f->ca);
	cert_done(&f->leaf);
	unlink(f->ca_path);
	loop_free(f->loop);
	free(f);
	return 0;
}

static inline void
asked_done(void *arg, const struct http_answer *answer, const struct err *e)
{
	struct asked *a = arg;
	const char *header = http_answer_header(answer, "x-TEST");

	assert_null(a->slot);
	assert_true((answer->status == 0) == (e != NULL));
	a->done++;
	a->status = answer->status;
	a->stale = answer->stale;
	a->len = answer->body_len;
	if (answer->status != 0) {
		assert_int_equal(answer->body[answer->body_len], '\0');
		snprintf(a->body, sizeof(a->body), "%s", answer->body);
	}
	snprintf(a->header, sizeof(a->header), "%s", header == NULL ? "(none)" : header);
	if (e != NULL)
		a->error = *e;
}

/* scheme://host:port-of-the-server/x */
static inline struct uri
server_uri(struct fixture *f, const char *scheme, const char *host)
{
	char text[128];
	struct uri uri;

	snprintf(
	    text, sizeof(text), "%s://%s:%u/x?y", scheme, host, listener_port(f->server->listener));
	assert_true(uri_parse(text, strlen(text), &uri, NULL));
	return uri;
}

static inline void
ask(struct fixture *f, struct asked *a, const struct http_call *call)
{
	memset(a, 0, sizeof(*a));
	http_call_start(f->client, call, asked_done, a, &a->slot);
	assert_int_equal(a->done, 0); /* never before it returned */
	assert_non_null(a->slot);
}

static inline void
get(struct fixture *f, struct asked *a)
{
	struct uri uri = server_uri(f, f->server->tls != NULL ? "https" : "http", "127.0.0.1");

	ask(f, a, &(struct http_call){.uri = &uri, .timeout_ms = 60000});
}

static inline void
serve(struct fixture *f, const struct script_line *script, size_t lines)
{
	script_free(f->server);
	f->server = script_serve(f->loop, NULL, script, lines);
}

static inline void
serve_tls(
    struct fixture *f, const struct cert *leaf, const struct script_line *script, size_t lines)
{
	script_free(f->server);
	f->server = script_serve(f->loop, script_tls(leaf), script, lines);
}

static inline void
assert_error(const struct asked *a, enum err_kind kind, const char *text)
{
	assert_int_equal(a->done, 1);
	assert_int_equal(a->status, 0);
	if (a->error.kind != kind || strstr(a->error.detail, text) == NULL)
		fail_msg("%s: %s", err_kind_name(a->error.kind), a->error.detail);
}
