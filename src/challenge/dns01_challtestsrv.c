/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/dns01_challtestsrv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "challenge/challtestsrv.h"
#include "challenge/dns01.h"

static const char SET[] = "set-txt", CLEAR[] = "clear-txt";

/* ---- present and withdraw ---- */

static void
present_cancel(struct op *op)
{
	struct challtestsrv_value *v = (struct challtestsrv_value *)op;
	struct challtestsrv_host *h = v->host;

	challtestsrv_value_free(v);
	challtestsrv_host_advance(h);
}

static void
challtestsrv_present(struct acme_solver *solver, const struct acme_answer *answer,
    acme_presented_fn *done, acme_fetched_fn *fetched, void *arg, struct op **slot)
{
	struct challtestsrv *s = (struct challtestsrv *)solver;
	char *name = dns01_name(answer->identifier);
	struct challtestsrv_value *v = xcalloc(1, sizeof(*v));

	v->host = challtestsrv_host_find(s, name, true);
	v->token = xstrdup(answer->token);
	v->value = dns01_value(answer->key_authorization);
	v->waiting = true;
	v->done = done;
	v->arg = arg;
	TAILQ_INSERT_TAIL(&v->host->values, v, entry);
	op_begin(&v->op, slot, present_cancel);
	challtestsrv_host_advance(v->host);
	free(name);
}

static void
challtestsrv_withdraw(struct acme_solver *solver, const struct acme_answer *answer, void *arg)
{
	struct challtestsrv *s = (struct challtestsrv *)solver;
	char *name = dns01_name(answer->identifier);
	struct challtestsrv_host *h = challtestsrv_host_find(s, name, false);
	struct challtestsrv_value *v;

	free(name);
	if (h == NULL)
		return;
	TAILQ_FOREACH (v, &h->values, entry)
		if (v->arg == arg && !v->waiting && strcmp(v->token, answer->token) == 0)
			break;
	if (v == NULL)
		return;
	challtestsrv_value_free(v);
	challtestsrv_host_advance(h);
}

/* ---- life ---- */

static void
challtestsrv_free(struct challenge *c)
{
	struct challtestsrv *s = (struct challtestsrv *)c;
	struct challtestsrv_host *h, *next;

	TAILQ_FOREACH_SAFE (h, &s->hosts, entry, next)
		challtestsrv_host_free(h);
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
challtestsrv_new(struct challenges *all, const struct challenge_conf *conf, struct err *e)
{
	const char *url = conf->challtestsrv.set_txt_url;
	struct challtestsrv *s = xcalloc(1, sizeof(*s));

	challenge_head_init(&s->base, all, &challenge_dns01_challtestsrv, conf);
	s->base.solver =
	    (struct acme_solver){"dns-01", challtestsrv_present, challtestsrv_withdraw};
	s->http = conf->http;
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
