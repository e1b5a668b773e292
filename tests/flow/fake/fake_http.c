/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_http.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/queue.h"
#include "ev/op.h"
#include "ev/timer.h"
#include "http/client.h"

struct call {
	struct op op;
	TAILQ_ENTRY(call) entry;
	struct http_client *client;
	char url[URI_MAX + HOST_MAX + 32];
	struct fake_http_request request;
	char *content_type;
	char *accept;
	char *body;
	struct fake_http_reply reply;
	bool sent;
	struct timer *timer;
	http_done_fn *done;
	void *arg;
};

struct http_client {
	struct loop *loop;
	TAILQ_HEAD(, call) calls;
};

static fake_http_handler_fn *handle;
static void *handle_arg;
static size_t open_calls;
static size_t all_calls;

void
fake_http_handle(fake_http_handler_fn *handler, void *arg)
{
	handle = handler;
	handle_arg = arg;
}

void
fake_http_reset(void)
{
	handle = NULL;
	all_calls = 0;
}

size_t
fake_http_open(void)
{
	return open_calls;
}

size_t
fake_http_calls(void)
{
	return all_calls;
}

void
fake_http_status(struct fake_http_reply *reply, int status, const char *body)
{
	free(reply->body);
	reply->outcome = FAKE_HTTP_ANSWER;
	reply->status = status;
	reply->body = body != NULL ? xstrdup(body) : NULL;
}

void
fake_http_header(struct fake_http_reply *reply, const char *name, const char *fmt, ...)
{
	va_list ap;

	assert(reply->header_count < FAKE_HTTP_HEADERS);
	snprintf(
	    reply->headers[reply->header_count].name, sizeof(reply->headers[0].name), "%s", name);
	va_start(ap, fmt);
	vsnprintf(
	    reply->headers[reply->header_count].value, sizeof(reply->headers[0].value), fmt, ap);
	va_end(ap);
	reply->header_count++;
}

const char *
http_answer_header(const struct http_answer *answer, const char *name)
{
	const struct fake_http_reply *reply = answer->headers;

	for (size_t i = 0; reply != NULL && i < reply->header_count; i++)
		if (strcasecmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return NULL;
}

static void
call_free(struct call *c)
{
	TAILQ_REMOVE(&c->client->calls, c, entry);
	open_calls--;
	timer_free(c->timer);
	free(c->content_type);
	free(c->accept);
	free(c->body);
	free(c->reply.body);
	free(c);
}

static void
call_cancel(struct op *op)
{
	call_free((struct call *)op);
}

static void
call_answer(struct call *c)
{
	const struct fake_http_reply *reply = &c->reply;
	struct http_answer answer = {
	    .stale = reply->outcome == FAKE_HTTP_STALE,
	    .body = "",
	    .headers = &c->reply,
	};
	struct err e;

	err_clear(&e);
	if (reply->outcome == FAKE_HTTP_ANSWER) {
		answer.status = reply->status;
		answer.body = reply->body != NULL ? reply->body : "";
		answer.body_len = strlen(answer.body);
	} else {
		err_set(&e, ERR_UNREACHABLE, "%s: %s", c->url,
		    reply->outcome == FAKE_HTTP_REFUSED     ? "connection refused"
			: reply->outcome == FAKE_HTTP_STALE ? "connection closed"
							    : "timeout");
	}
	op_end(&c->op);
	c->done(c->arg, &answer, answer.status != 0 ? NULL : &e);
	call_free(c);
}

static void
call_timer(void *arg)
{
	struct call *c = arg;
	int64_t delay;

	if (c->sent) {
		call_answer(c);
		return;
	}
	c->sent = true;
	assert(handle != NULL);
	handle(handle_arg, &c->request, &c->reply);
	delay = c->reply.delay_ms;
	if (c->reply.outcome == FAKE_HTTP_SILENT || delay > c->request.timeout_ms) {
		c->reply.outcome = FAKE_HTTP_SILENT;
		delay = c->request.timeout_ms;
	}
	if (delay > 0)
		timer_start(c->timer, delay);
	else
		call_answer(c);
}

static char *
copy(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

void
http_call_start(struct http_client *client, const struct http_call *call, http_done_fn *done,
    void *arg, struct op **slot)
{
	struct call *c = xcalloc(1, sizeof(*c));
	char host[HOST_MAX + 16];

	c->client = client;
	uri_host_header(call->uri, host);
	snprintf(c->url, sizeof(c->url), "%s://%s%s", call->uri->https ? "https" : "http", host,
	    call->uri->target);
	c->content_type = copy(call->content_type);
	c->accept = copy(call->accept);
	c->body = call->body != NULL ? xstrndup(call->body, call->body_len) : NULL;
	c->request = (struct fake_http_request){
	    .method = call->head ? "HEAD"
		: call->post     ? "POST"
				 : "GET",
	    .url = c->url,
	    .content_type = c->content_type,
	    .accept = c->accept,
	    .body = c->body,
	    .fresh = call->fresh,
	    .timeout_ms = call->timeout_ms,
	};
	c->done = done;
	c->arg = arg;
	c->timer = timer_new(client->loop, call_timer, c);
	timer_start(c->timer, 0);
	TAILQ_INSERT_TAIL(&client->calls, c, entry);
	open_calls++;
	all_calls++;
	op_begin(&c->op, slot, call_cancel);
}

struct http_client *
fake_http_client(struct loop *loop)
{
	struct http_client *client = xcalloc(1, sizeof(*client));

	client->loop = loop;
	TAILQ_INIT(&client->calls);
	return client;
}

struct http_client *
http_client_new(struct loop *loop, struct resolver *resolver, const struct http_client_conf *conf)
{
	(void)resolver;
	(void)conf;
	return fake_http_client(loop);
}

void
http_client_free(struct http_client *client)
{
	struct call *c;

	if (client == NULL)
		return;
	while ((c = TAILQ_FIRST(&client->calls)) != NULL)
		op_cancel(c->op.slot);
	free(client);
}
