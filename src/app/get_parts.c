/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/get_parts.h"

#include <stddef.h>

#include "app/get_options.h"
#include "base/log.h"
#include "challenge/challenge.h"
#include "challenge/challenges.h"
#include "ev/loop.h"

/* Those of the daemon; a CA on this machine is not held back. */
enum { CA_REQUESTS = 15, CA_BURST = 40 };

static void
warn(void *arg, const char *challenge, const char *text)
{
	(void)arg;
	log_warning(NULL, "%s: %s", challenge, text);
}

static bool
build_http(struct get_parts *p, const struct get_options *o, struct err *e)
{
	struct challenge_conf conf = {
	    .name = "http01",
	    .type = CHALLENGE_HTTP01,
	    .http01 = {.listeners = (char **)o->http.specs,
		.listener_count = o->http.count,
		.default_listeners = o->http.is_default,
		.greeting = "acme-get answers challenges here\n"},
	};

	p->http = challenge_new(p->challenges, &conf, e);
	if (p->http == NULL || !challenge_serve(p->http, true, e))
		return err_prefix(e, "--http-listen");
	return true;
}

static bool
build_dns(struct get_parts *p, const struct get_options *o, struct err *e)
{
	struct challenge_conf conf = {
	    .name = "dns01",
	    .type = CHALLENGE_DNS01_SERVER,
	    .dns01_server = {.listeners = (char **)o->dns.specs,
		.listener_count = o->dns.count,
		.default_listeners = o->dns.is_default,
		.has_record = o->has_record,
		.record = o->record},
	};

	p->dns = challenge_new(p->challenges, &conf, e);
	if (p->dns == NULL || !challenge_serve(p->dns, true, e))
		return err_prefix(e, "--dns-listen");
	return true;
}

bool
get_parts_open(struct get_parts *p, const struct get_options *o, struct err *e)
{
	p->loop = loop_new(e);
	if (p->loop == NULL || !ca_client_init(&p->client, p->loop, o->ca_file, e))
		return false;
	p->challenges = challenges_new(p->loop, warn, NULL);
	return o->kind == GET_REVOKE_CERT || (build_http(p, o, e) && build_dns(p, o, e));
}

/* Whoever runs this wants the certificate under the CA's terms. Only an order may register. */
bool
get_parts_account(struct get_parts *p, const struct get_options *o,
    void (*event)(void *arg, enum ca_event event, const char *text, const struct err *e), void *arg,
    struct err *e)
{
	bool revoking = o->kind == GET_REVOKE_CERT;
	struct ca_conf conf = {
	    .directory_url = o->directory,
	    .dir = revoking && o->key != NULL ? NULL : o->account_dir,
	    .terms = {.accept = !revoking},
	    .key_type = KEY_EC256,
	    .requests_per_second = CA_REQUESTS,
	    .requests_burst = CA_BURST,
	    .event = event,
	    .event_arg = arg,
	};

	p->ca = ca_new(p->loop, p->client.http, &conf, e);
	return p->ca != NULL;
}

void
get_parts_done(struct get_parts *p)
{
	challenge_free(p->http);
	challenge_free(p->dns);
	challenges_free(p->challenges);
	ca_free(p->ca);
	ca_client_done(&p->client);
	loop_free(p->loop);
	*p = (struct get_parts){0};
}

struct acme_solver *
get_parts_solver(const struct get_parts *p, const struct get_options *o)
{
	return challenge_solver(o->kind == GET_DNS01 ? p->dns : p->http);
}
