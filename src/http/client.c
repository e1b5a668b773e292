/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/client.h"

#include <event2/http.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ev/timer.h"
#include "http/client_private.h"

struct http_client *
http_client_new(struct loop *loop, struct resolver *resolver, const struct http_client_conf *conf)
{
	struct http_client *c = xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->resolver = resolver;
	c->conf = *conf;
	TAILQ_INIT(&c->origins);
	TAILQ_INIT(&c->calls);
	if (conf->tls != NULL)
		client_tls_keep_sessions(conf->tls);
	return c;
}

void
http_client_free(struct http_client *c)
{
	struct client_call *call;
	struct client_origin *o;

	if (c == NULL)
		return;
	while ((call = TAILQ_FIRST(&c->calls)) != NULL)
		op_cancel(call->op.slot);
	while ((o = TAILQ_FIRST(&c->origins)) != NULL)
		origin_free(o);
	free(c);
}

void
http_client_trust(struct http_client *c, struct ssl_ctx_st *tls)
{
	struct client_origin *o;

	c->conf.tls = tls;
	client_tls_keep_sessions(tls);
	/* A resumed one would not be verified. */
	TAILQ_FOREACH (o, &c->origins, entry)
		client_tls_forget_session(o);
}

const struct http_client_stats *
http_client_stats(const struct http_client *c)
{
	return &c->stats;
}

static char *
copy_or_null(const char *s)
{
	return s == NULL ? NULL : xstrdup(s);
}

void
http_call_start(struct http_client *c, const struct http_call *call, http_done_fn *done, void *arg,
    struct op **slot)
{
	struct client_call *x = xcalloc(1, sizeof(*x));

	x->client = c;
	x->origin = origin_get(c, call->uri);
	x->post = call->post;
	x->head = call->head;
	x->fresh = call->fresh;
	x->target = xstrdup(call->uri->target);
	x->content_type = copy_or_null(call->content_type);
	x->accept = copy_or_null(call->accept);
	x->body = call->body == NULL ? NULL : xmemdup(call->body, call->body_len);
	x->body_len = call->body == NULL ? 0 : call->body_len;
	x->deadline = clock_mono_ms() + call->timeout_ms;
	x->done = done;
	x->arg = arg;
	x->timer = timer_new(c->loop, call_deadline, x);
	x->attempt = timer_new(c->loop, call_attempt_over, x);
	TAILQ_INSERT_TAIL(&c->calls, x, entry);
	op_begin(&x->op, slot, call_cancel);
	timer_start(x->timer, call->timeout_ms);
	origin_dispatch(x->origin, x);
}

const char *
http_answer_header(const struct http_answer *answer, const char *name)
{
	return answer->headers == NULL ? NULL : evhttp_find_header(answer->headers, name);
}
