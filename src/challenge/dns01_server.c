/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/dns01_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "challenge/challenges.h"
#include "challenge/dns01.h"
#include "challenge/present_now.h"
#include "dns/responder.h"

struct dns01_server {
	struct challenge base;
	struct responder *responder;
	char *zone; /* or NULL */
	TAILQ_HEAD(, presentation) presentations;
};

struct presentation {
	TAILQ_ENTRY(presentation) entry;
	struct dns01_server *server;
	struct responder_record *records[2]; /* _acme-challenge.NAME, NAME.ZONE; or NULL */
	char *token;
	acme_fetched_fn *fetched;
	void *arg;
};

/* ---- records ---- */

static void
fetched(void *arg)
{
	struct presentation *p = arg;

	p->server->base.stats->answered++;
	if (p->fetched != NULL)
		p->fetched(p->arg);
}

static bool
add_record(struct presentation *p, size_t i, const char *owner, const char *value, struct err *e)
{
	p->records[i] = responder_add(p->server->responder, owner, value, fetched, p, e);
	return p->records[i] != NULL;
}

/* A name that is too long to stand below the zone cannot have been delegated there; its own name
 * may still have been, by NS records. */
static bool
add_below_zone(
    struct presentation *p, const struct identifier *id, const char *value, struct err *e)
{
	const char *zone = p->server->zone;
	char *owner;
	bool ok;

	if (zone == NULL || strlen(id->value) + 1 + strlen(zone) > IDENTIFIER_MAX)
		return true;
	owner = xasprintf("%s.%s", id->value, zone);
	ok = add_record(p, 1, owner, value, e);
	free(owner);
	return ok;
}

static bool
add_records(struct presentation *p, const struct acme_answer *answer, struct err *e)
{
	char *owner = dns01_name(answer->identifier);
	char *value = dns01_value(answer->key_authorization);
	bool ok =
	    add_record(p, 0, owner, value, e) && add_below_zone(p, answer->identifier, value, e);

	free(owner);
	free(value);
	return ok;
}

static void
presentation_free(struct presentation *p)
{
	for (size_t i = 0; i < 2; i++)
		if (p->records[i] != NULL)
			responder_remove(p->server->responder, p->records[i]);
	TAILQ_REMOVE(&p->server->presentations, p, entry);
	challenge_end(&p->server->base);
	free(p->token);
	free(p);
}

/* On failure nothing is left. */
static void
presentation_new(struct dns01_server *s, const struct acme_answer *answer,
    acme_fetched_fn *fetched_fn, void *arg, struct err *e)
{
	struct presentation *p = xcalloc(1, sizeof(*p));

	p->server = s;
	p->token = xstrdup(answer->token);
	p->fetched = fetched_fn;
	p->arg = arg;
	TAILQ_INSERT_TAIL(&s->presentations, p, entry);
	challenge_begin(&s->base);
	if (!add_records(p, answer, e))
		presentation_free(p);
}

static void
take_away(struct challenge *c, const char *token, void *arg)
{
	struct dns01_server *s = (struct dns01_server *)c;
	struct presentation *p;

	TAILQ_FOREACH (p, &s->presentations, entry) {
		if (p->arg == arg && strcmp(p->token, token) == 0) {
			presentation_free(p);
			return;
		}
	}
}

/* ---- present and withdraw ---- */

static void
server_present(struct acme_solver *solver, const struct acme_answer *answer,
    acme_presented_fn *done, acme_fetched_fn *fetched_fn, void *arg, struct op **slot)
{
	struct dns01_server *s = (struct dns01_server *)solver;
	struct err e = {0};

	presentation_new(s, answer, fetched_fn, arg, &e);
	present_now(&s->base, answer->token, &e, take_away, done, arg, slot);
}

static void
server_withdraw(struct acme_solver *solver, const struct acme_answer *answer, void *arg)
{
	take_away((struct challenge *)solver, answer->token, arg);
}

/* ---- life ---- */

static void
server_free(struct challenge *c)
{
	struct dns01_server *s = (struct dns01_server *)c;
	struct presentation *p, *next;

	TAILQ_FOREACH_SAFE (p, &s->presentations, entry, next)
		presentation_free(p);
	responder_free(s->responder);
	free(s->zone);
	challenge_head_done(&s->base);
	free(s);
}

static bool
server_serve(struct challenge *c, bool take, struct err *e)
{
	return responder_serve(((struct dns01_server *)c)->responder, take, e);
}

static void
warn(void *arg, const char *text)
{
	challenge_warn(arg, text);
}

static struct responder *
open_responder(struct challenge *c, const struct challenge_conf *conf, struct err *e)
{
	const struct challenge_dns01_server_conf *server = &conf->dns01_server;
	struct responder_conf responder = {
	    .listeners = server->listeners,
	    .listener_count = server->listener_count,
	    .skip_no_family = server->default_listeners,
	    .zone = server->zone,
	    .ns = server->ns,
	    .record = server->has_record ? &server->record : NULL,
	    .records = challenges_records(c->all),
	    .warn = warn,
	    .warn_arg = c,
	};

	return responder_new(c->loop, &responder, e);
}

static struct challenge *
server_new(struct challenges *all, const struct challenge_conf *conf, struct err *e)
{
	struct dns01_server *s = xcalloc(1, sizeof(*s));

	challenge_head_init(&s->base, all, &challenge_dns01_server, conf);
	s->base.solver = (struct acme_solver){"dns-01", server_present, server_withdraw};
	s->zone = conf->dns01_server.zone != NULL ? xstrdup(conf->dns01_server.zone) : NULL;
	TAILQ_INIT(&s->presentations);
	s->responder = open_responder(&s->base, conf, e);
	if (s->responder != NULL)
		return &s->base;
	server_free(&s->base);
	return NULL;
}

const struct challenge_kind challenge_dns01_server = {
    .config_name = "dns01-server",
    .wildcards = true,
    .ip = false,
    .new = server_new,
    .serve = server_serve,
    .free = server_free,
};
