/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/challtestsrv.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "ev/timer.h"
#include "http/client.h"

enum {
	CALL_MS = 5 * 1000,
	CLEAR_TRIES = 3,
	CLEAR_PAUSE_MS = 500,
};

/* ---- calls ---- */

static char *
body_text(const struct challtestsrv_host *h, const char *value)
{
	struct json *body = json_new_object();
	char *host = xasprintf("%s.", h->name);
	char *text;

	json_set_string(body, "host", host);
	if (value != NULL)
		json_set_string(body, "value", value);
	text = json_text(body, 0);
	json_free(body);
	free(host);
	return text;
}

static void
call(struct challtestsrv_host *h, const struct uri *uri, const char *value, http_done_fn *done)
{
	char *body = body_text(h, value);
	struct http_call c = {
	    .post = true,
	    .uri = uri,
	    .content_type = "application/json",
	    .body = body,
	    .body_len = strlen(body),
	    .fresh = true, /* never into one that the server is closing */
	    .timeout_ms = CALL_MS,
	};

	http_call_start(h->server->http, &c, done, h, &h->call);
	free(body);
}

/* True: the server has done what it was asked. */
static bool
accepted(const struct uri *uri, const struct http_answer *answer, const struct err *failed,
    struct err *e)
{
	if (failed != NULL)
		*e = *failed;
	else if (answer->status != 200)
		err_set(e, ERR_UPSTREAM, "it answered %d", answer->status);
	else
		return true;
	return err_prefix(e, "challenge test server, %s", uri->target);
}

/* ---- values ---- */

void
challtestsrv_value_free(struct challtestsrv_value *v)
{
	struct challtestsrv_host *h = v->host;

	TAILQ_REMOVE(&h->values, v, entry);
	if (h->setting == v)
		h->setting = NULL;
	free(v->token);
	free(v->value);
	free(v);
}

static struct challtestsrv_value *
next_waiting(const struct challtestsrv_host *h)
{
	struct challtestsrv_value *v;

	TAILQ_FOREACH (v, &h->values, entry)
		if (v->waiting)
			return v;
	return NULL;
}

static size_t
count_waiting(const struct challtestsrv_host *h)
{
	const struct challtestsrv_value *v;
	size_t n = 0;

	TAILQ_FOREACH (v, &h->values, entry)
		n += v->waiting;
	return n;
}

/* The one for whom it failed goes; so do those behind him, or each would wait for his own failure.
 * Not those who come meanwhile. */
static void
fail_waiting(struct challtestsrv_host *h, const struct err *e)
{
	for (size_t n = count_waiting(h); n > 0; n--) {
		struct challtestsrv_value *v = next_waiting(h);
		acme_presented_fn *done;
		void *arg;

		if (v == NULL)
			return;
		done = v->done;
		arg = v->arg;
		op_end(&v->op);
		challtestsrv_value_free(v);
		done(arg, e);
	}
}

static void
report_presented(struct challtestsrv_value *v)
{
	v->waiting = false;
	op_end(&v->op);
	v->done(v->arg, NULL);
}

static void
set_done(void *arg, const struct http_answer *answer, const struct err *failed)
{
	struct challtestsrv_host *h = arg;
	struct challtestsrv_value *v = h->setting;
	struct err e;

	h->setting = NULL;
	h->reporting = true;
	if (!accepted(&h->server->set, answer, failed, &e))
		fail_waiting(h, &e);
	else if (v != NULL)
		report_presented(v);
	h->reporting = false;
	challtestsrv_host_advance(h);
}

static void
set(struct challtestsrv_host *h, struct challtestsrv_value *v)
{
	h->setting = v;
	h->dirty = true;
	h->clear_tries = 0;
	call(h, &h->server->set, v->value, set_done);
}

/* ---- hosts ---- */

void
challtestsrv_host_free(struct challtestsrv_host *h)
{
	struct challtestsrv_value *v, *next;

	op_cancel(&h->call);
	timer_free(h->pause);
	TAILQ_FOREACH_SAFE (v, &h->values, entry, next)
		challtestsrv_value_free(v);
	TAILQ_REMOVE(&h->server->hosts, h, entry);
	challenge_end(&h->server->base);
	free(h->name);
	loop_dispose(h->server->base.loop, free, h);
}

static void
warn_left(const struct challtestsrv_host *h, const struct err *e)
{
	const struct challtestsrv *s = h->server;
	char *text = xasprintf("TXT values at %s may be left behind: %s", h->name, e->detail);

	challenge_warn(&s->base, text);
	free(text);
}

static void
clear_done(void *arg, const struct http_answer *answer, const struct err *failed)
{
	struct challtestsrv_host *h = arg;
	struct err e;

	h->dirty = !accepted(&h->server->clear, answer, failed, &e);
	if (h->dirty && h->clear_tries < CLEAR_TRIES && TAILQ_EMPTY(&h->values)) {
		timer_start(h->pause, CLEAR_PAUSE_MS);
		return;
	}
	if (h->dirty && TAILQ_EMPTY(&h->values)) {
		warn_left(h, &e);
		h->dirty = false;
	}
	challtestsrv_host_advance(h);
}

static void
clear(struct challtestsrv_host *h)
{
	h->clear_tries++;
	call(h, &h->server->clear, NULL, clear_done);
}

/* What comes next at this name, if nothing is under way. */
void
challtestsrv_host_advance(struct challtestsrv_host *h)
{
	struct challtestsrv_value *v = next_waiting(h);

	if (h->call != NULL || h->reporting)
		return;
	if (v != NULL)
		set(h, v);
	else if (!TAILQ_EMPTY(&h->values))
		return;
	else if (!h->dirty)
		challtestsrv_host_free(h);
	else if (!timer_running(h->pause))
		clear(h);
}

static void
pause_over(void *arg)
{
	challtestsrv_host_advance(arg);
}

static struct challtestsrv_host *
host_new(struct challtestsrv *s, const char *name)
{
	struct challtestsrv_host *h = xcalloc(1, sizeof(*h));

	h->server = s;
	h->name = xstrdup(name);
	h->pause = timer_new(s->base.loop, pause_over, h);
	TAILQ_INIT(&h->values);
	TAILQ_INSERT_TAIL(&s->hosts, h, entry);
	challenge_begin(&s->base);
	return h;
}

struct challtestsrv_host *
challtestsrv_host_find(struct challtestsrv *s, const char *name, bool make)
{
	struct challtestsrv_host *h;

	TAILQ_FOREACH (h, &s->hosts, entry)
		if (strcmp(h->name, name) == 0)
			return h;
	return make ? host_new(s, name) : NULL;
}
