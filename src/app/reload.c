/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/reload.h"

#include <stdlib.h>
#include <string.h>

#include "app/check.h"
#include "app/conf.h"
#include "app/conf_resolve.h"
#include "app/generation.h"
#include "app/service.h"
#include "base/alloc.h"
#include "base/log.h"
#include "ev/op.h"
#include "http/tls.h"

struct reload {
	struct reload_conf conf;
	struct conf *next;      /* while its names are looked up; */
	struct ssl_ctx_st *tls; /* and the trust it wants */
	struct op *lookups;
	bool again;
};

struct reload *
reload_new(const struct reload_conf *conf)
{
	struct reload *r = xcalloc(1, sizeof(*r));

	r->conf = *conf;
	return r;
}

void
reload_cancel(struct reload *r)
{
	op_cancel(&r->lookups);
	conf_free(r->next);
	r->next = NULL;
	tls_context_free(r->tls);
	r->tls = NULL;
	r->again = false;
}

void
reload_free(struct reload *r)
{
	if (r == NULL)
		return;
	reload_cancel(r);
	free(r);
}

/* ---- how it ends ---- */

static void
log_problems(const struct conf *conf)
{
	for (size_t i = 0; i < conf->problem_count; i++) {
		const struct conf_problem *p = &conf->problems[i];
		char *text = conf_problem_text(p);

		if (p->severity != CONF_NOTE)
			log_write(p->severity == CONF_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			    NULL, "%s", text);
		free(text);
	}
}

static void
ended(struct reload *r)
{
	bool again = r->again;

	reload_cancel(r);
	if (again)
		reload_start(r);
}

static void
refused(struct reload *r, const char *why)
{
	log_error(NULL, "the configuration was not reloaded, everything stays as it was: %s", why);
	service_ready(r->conf.service, "running; the last reload was refused, the log says why");
	ended(r);
}

/* ---- the way ---- */

static void
warn_of_user(const struct conf *was, const struct conf *is)
{
	const char *a = was->user == NULL ? "" : was->user, *b = is->user == NULL ? "" : is->user;

	if (strcmp(a, b) != 0)
		log_warning(NULL, "[process] user: the change takes effect at the next start");
}

static void
follow(struct reload *r)
{
	struct generation *old = *r->conf.now;
	struct conf *conf = r->next;
	struct log_conf log = conf->log;
	struct ssl_ctx_st *tls = r->tls;
	struct generation *next;
	struct err e;

	r->next = NULL;
	next = generation_new(r->conf.common, conf, old, &e);
	if (next == NULL || !log_configure(&log, &e)) {
		generation_free(next);
		refused(r, e.detail);
		return;
	}
	r->tls = NULL;
	warn_of_user(old->conf, conf);
	r->conf.follow(r->conf.arg, next, tls);
	log_info(NULL, "the configuration was reloaded");
	service_ready(r->conf.service, "running");
	ended(r);
}

static void
resolved(void *arg, const struct err *e)
{
	struct reload *r = arg;

	if (e != NULL)
		refused(r, e->detail);
	else
		follow(r);
}

void
reload_start(struct reload *r)
{
	if (r->next != NULL) {
		r->again = true;
		return;
	}
	service_reloading(r->conf.service, "reading the configuration again");
	r->next = conf_load(r->conf.paths, r->conf.path_count);
	if (!r->next->failed)
		r->tls = check_reload(r->next);
	log_problems(r->next);
	if (r->next->failed)
		refused(r, "see above");
	else
		conf_resolve_start(
		    r->conf.common->loop, r->conf.resolver, r->next, resolved, r, &r->lookups);
}
