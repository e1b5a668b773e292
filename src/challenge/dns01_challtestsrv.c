/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/dns01_challtestsrv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "challenge/dns01.h"
#include "codec/json.h"
#include "codec/uri.h"
#include "ev/op.h"
#include "ev/timer.h"
#include "http/client.h"

static const char SET[] = "set-txt", CLEAR[] = "clear-txt";

enum {
	CALL_MS = 5 * 1000,
	CLEAR_TRIES = 3,
	CLEAR_PAUSE_MS = 500,
};

struct challtestsrv {
	struct challenge base;
	struct http_client *http;
	struct uri set;
	struct uri clear;
	TAILQ_HEAD(, host) hosts;
	void (*warn)(void *arg, const char *text);
	void *warn_arg;
};

/* One name. Lives until nothing is presented at it and the server has been told so. */
struct host {
	TAILQ_ENTRY(host) entry;
	struct challtestsrv *server;
	char *name;
	TAILQ_HEAD(, presentation) presentations;
	struct op *call;
	struct presentation *setting; /* by the call; NULL: it clears, or that one was withdrawn */
	bool reporting; /* completions run, which may withdraw: next step after them */
	bool dirty;     /* the server may have values */
	int clear_tries;
	struct timer *pause; /* before clearing is tried again */
};

struct presentation {
	struct op op;
	TAILQ_ENTRY(presentation) entry;
	struct host *host;
	char *token;
	char *value;
	bool waiting; /* the CA may not be told yet */
	acme_presented_fn *done;
	void *arg;
};

static void host_advance(struct host *h);

/* ---- calls ---- */

static char *
body_text(const struct host *h, const char *value)
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
call(struct host *h, const struct uri *uri, const char *value, http_done_fn *done)
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

/* ---- presentations ---- */

static void
presentation_free(struct presentation *p)
{
	struct host *h = p->host;

	TAILQ_REMOVE(&h->presentations, p, entry);
	if (h->setting == p)
		h->setting = NULL;
	free(p->token);
	free(p->value);
	free(p);
}

static struct presentation *
next_waiting(const struct host *h)
{
	struct presentation *p;

	TAILQ_FOREACH (p, &h->presentations, entry)
		if (p->waiting)
			return p;
	return NULL;
}

static size_t
count_waiting(const struct host *h)
{
	const struct presentation *p;
	size_t n = 0;

	TAILQ_FOREACH (p, &h->presentations, entry)
		n += p->waiting;
	return n;
}

/* The one for whom it failed goes; so do those behind him, or each would wait for his own failure.
 * Not those who come meanwhile. */
static void
fail_waiting(struct host *h, const struct err *e)
{
	for (size_t n = count_waiting(h); n > 0; n--) {
		struct presentation *p = next_waiting(h);
		acme_presented_fn *done;
		void *arg;

		if (p == NULL)
			return;
		done = p->done;
		arg = p->arg;
		op_end(&p->op);
		presentation_free(p);
		done(arg, e);
	}
}

static void
report_presented(struct presentation *p)
{
	p->waiting = false;
	op_end(&p->op);
	p->done(p->arg, NULL);
}

static void
set_done(void *arg, const struct http_answer *answer, const struct err *failed)
{
	struct host *h = arg;
	struct presentation *p = h->setting;
	struct err e;

	h->setting = NULL;
	h->reporting = true;
	if (!accepted(&h->server->set, answer, failed, &e))
		fail_waiting(h, &e);
	else if (p != NULL)
		report_presented(p);
	h->reporting = false;
	host_advance(h);
}

static void
set(struct host *h, struct presentation *p)
{
	h->setting = p;
	h->dirty = true;
	h->clear_tries = 0;
	call(h, &h->server->set, p->value, set_done);
}

/* ---- hosts ---- */

static void
host_free(struct host *h)
{
	struct presentation *p, *next;

	op_cancel(&h->call);
	timer_free(h->pause);
	TAILQ_FOREACH_SAFE (p, &h->presentations, entry, next)
		presentation_free(p);
	TAILQ_REMOVE(&h->server->hosts, h, entry);
	challenge_end(&h->server->base);
	free(h->name);
	loop_dispose(h->server->base.loop, free, h);
}

static void
warn_left(const struct host *h, const struct err *e)
{
	const struct challtestsrv *s = h->server;
	char *text = xasprintf("TXT values at %s may be left behind: %s", h->name, e->detail);

	if (s->warn != NULL)
		s->warn(s->warn_arg, text);
	free(text);
}

static void
clear_done(void *arg, const struct http_answer *answer, const struct err *failed)
{
	struct host *h = arg;
	struct err e;

	h->dirty = !accepted(&h->server->clear, answer, failed, &e);
	if (h->dirty && h->clear_tries < CLEAR_TRIES && TAILQ_EMPTY(&h->presentations)) {
		timer_start(h->pause, CLEAR_PAUSE_MS);
		return;
	}
	if (h->dirty && TAILQ_EMPTY(&h->presentations)) {
		warn_left(h, &e);
		h->dirty = false;
	}
	host_advance(h);
}

static void
clear(struct host *h)
{
	h->clear_tries++;
	call(h, &h->server->clear, NULL, clear_done);
}

/* What comes next at this name, if nothing is under way. */
static void
host_advance(struct host *h)
{
	struct presentation *p = next_waiting(h);

	if (h->call != NULL || h->reporting)
		return;
	if (p != NULL)
		set(h, p);
	else if (!TAILQ_EMPTY(&h->presentations))
		return;
	else if (!h->dirty)
		host_free(h);
	else if (!timer_running(h->pause))
		clear(h);
}

static void
pause_over(void *arg)
{
	host_advance(arg);
}

static struct host *
host_for(struct challtestsrv *s, const char *name)
{
	struct host *h;

	TAILQ_FOREACH (h, &s->hosts, entry)
		if (strcmp(h->name, name) == 0)
			return h;
	h = xcalloc(1, sizeof(*h));
	h->server = s;
	h->name = xstrdup(name);
	h->pause = timer_new(s->base.loop, pause_over, h);
	TAILQ_INIT(&h->presentations);
	TAILQ_INSERT_TAIL(&s->hosts, h, entry);
	challenge_begin(&s->base);
	return h;
}

/* ---- present and withdraw ---- */

static void
present_cancel(struct op *op)
{
	struct presentation *p = (struct presentation *)op;
	struct host *h = p->host;

	presentation_free(p);
	host_advance(h);
}

static void
challtestsrv_present(struct acme_solver *solver, const struct acme_answer *answer,
    acme_presented_fn *done, acme_fetched_fn *fetched, void *arg, struct op **slot)
{
	struct challtestsrv *s = (struct challtestsrv *)solver;
	char *name = dns01_name(answer->identifier);
	struct presentation *p = xcalloc(1, sizeof(*p));

	p->host = host_for(s, name);
	p->token = xstrdup(answer->token);
	p->value = dns01_value(answer->key_authorization);
	p->waiting = true;
	p->done = done;
	p->arg = arg;
	TAILQ_INSERT_TAIL(&p->host->presentations, p, entry);
	op_begin(&p->op, slot, present_cancel);
	host_advance(p->host);
	free(name);
}

static void
challtestsrv_withdraw(struct acme_solver *solver, const struct acme_answer *answer, void *arg)
{
	struct challtestsrv *s = (struct challtestsrv *)solver;
	char *name = dns01_name(answer->identifier);
	struct presentation *p;
	struct host *h;

	TAILQ_FOREACH (h, &s->hosts, entry)
		if (strcmp(h->name, name) == 0)
			break;
	free(name);
	if (h == NULL)
		return;
	TAILQ_FOREACH (p, &h->presentations, entry)
		if (p->arg == arg && !p->waiting && strcmp(p->token, answer->token) == 0)
			break;
	if (p == NULL)
		return;
	presentation_free(p);
	host_advance(h);
}

/* ---- life ---- */

static void
challtestsrv_free(struct challenge *c)
{
	struct challtestsrv *s = (struct challtestsrv *)c;
	struct host *h, *next;

	TAILQ_FOREACH_SAFE (h, &s->hosts, entry, next)
		host_free(h);
	challenge_head_done(&s->base);
	free(s);
}

/* .../set-txt becomes .../clear-txt; a query behind it stays. */
static bool
derive_clear(struct challtestsrv *s, struct err *e)
{
	const char *at = strstr(s->set.target, SET);
	int n;

	if (at == NULL)
		return err_set(e, ERR_CONFIG, "set-txt_url: there is no %s in %s to derive %s from",
		    SET, s->set.target, CLEAR);
	s->clear = s->set;
	n = snprintf(s->clear.target, sizeof(s->clear.target), "%.*s%s%s",
	    (int)(at - s->set.target), s->set.target, CLEAR, at + strlen(SET));
	if (n < 0 || (size_t)n >= sizeof(s->clear.target))
		return err_set(e, ERR_CONFIG, "set-txt_url is too long");
	return true;
}

static struct challenge *
challtestsrv_new(struct loop *loop, const struct challenge_conf *conf, struct err *e)
{
	const char *url = conf->challtestsrv.set_txt_url;
	struct challtestsrv *s = xcalloc(1, sizeof(*s));

	challenge_head_init(&s->base, loop, &challenge_dns01_challtestsrv, conf);
	s->base.solver =
	    (struct acme_solver){"dns-01", challtestsrv_present, challtestsrv_withdraw};
	s->http = conf->http;
	s->warn = conf->warn;
	s->warn_arg = conf->warn_arg;
	TAILQ_INIT(&s->hosts);
	if (uri_parse(url, strlen(url), &s->set, e) && derive_clear(s, e))
		return &s->base;
	challtestsrv_free(&s->base);
	return NULL;
}

const struct challenge_kind challenge_dns01_challtestsrv = {
    .config_name = "dns01-challtestsrv",
    .wildcards = true,
    .ip = false,
    .new = challtestsrv_new,
    .free = challtestsrv_free,
};
