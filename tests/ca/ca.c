/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ca.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth.h"
#include "base/alloc.h"
#include "handlers.h"
#include "issuer.h"
#include "journal.h"
#include "jwk.h"
#include "nonce.h"
#include "options.h"
#include "request.h"
#include "server.h"
#include "trust.h"

enum { METHOD_GET = 1, METHOD_POST = 2 };

struct route {
	const char *path; /* the first part */
	int methods;
	enum signer signer;
	void (*handle)(struct call *c);
	bool nonce; /* also with GET */
};

static const struct route routes[EP_COUNT] = {
    [EP_DIRECTORY] = {"dir", METHOD_GET, 0, handle_directory, false},
    [EP_NEW_NONCE] = {"new-nonce", METHOD_GET, 0, handle_new_nonce, true},
    [EP_NEW_ACCOUNT] = {"new-account", METHOD_POST, SIGNER_KEY, handle_new_account, true},
    [EP_ACCOUNT] = {"account", METHOD_POST, SIGNER_ACCOUNT, handle_account, true},
    [EP_NEW_ORDER] = {"new-order", METHOD_POST, SIGNER_ACCOUNT, handle_new_order, true},
    [EP_ORDER] = {"order", METHOD_POST, SIGNER_ACCOUNT, handle_order, true},
    [EP_AUTHZ] = {"authz", METHOD_POST, SIGNER_ACCOUNT, handle_authz, true},
    [EP_CHALLENGE] = {"challenge", METHOD_POST, SIGNER_ACCOUNT, handle_challenge, true},
    [EP_FINALIZE] = {"finalize", METHOD_POST, SIGNER_ACCOUNT, handle_finalize, true},
    [EP_CERT] = {"cert", METHOD_POST, SIGNER_ACCOUNT, handle_cert, true},
    [EP_REVOKE] = {"revoke", METHOD_POST, SIGNER_EITHER, handle_revoke, true},
    [EP_KEY_CHANGE] = {"key-change", METHOD_POST, SIGNER_ACCOUNT, handle_key_change, true},
    [EP_RENEWAL_INFO] = {"renewal-info", METHOD_GET, 0, handle_renewal_info, false},
    [EP_ORDERS] = {"orders", METHOD_POST, SIGNER_ACCOUNT, handle_orders, true},
    [EP_TERMS] = {"terms", METHOD_GET, 0, handle_terms, false},
    [EP_UNKNOWN] = {"", METHOD_GET | METHOD_POST, SIGNER_ACCOUNT, handle_unknown, true},
    [EP_CONNECTION] = {"", 0, 0, NULL, false},
};

const struct fault *
call_fault(const struct call *c, enum fault_id id)
{
	return fault_set_find(&c->faults, id);
}

const char *
call_text(const struct call *c, const char *member)
{
	const char *s = json_string_value(json_object_get(c->payload, member));

	return s != NULL ? s : "";
}

/* /ENDPOINT[/NUMBER][/REST] */
static void
find_route(struct call *c)
{
	const char *path = c->http->path + 1, *rest;
	size_t n = strcspn(path, "/");
	char *end;

	while (c->endpoint < EP_UNKNOWN &&
	    (strlen(routes[c->endpoint].path) != n ||
		strncmp(routes[c->endpoint].path, path, n) != 0))
		c->endpoint++;
	rest = path[n] == '/' ? path + n + 1 : path + n;
	c->rest = rest;
	if (c->endpoint == EP_RENEWAL_INFO)
		return;
	c->number = strtoull(rest, &end, 10);
	c->rest = *end == '/' ? end + 1 : end;
}

static int
method_of(const struct request *r)
{
	if (strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0)
		return METHOD_GET;
	return strcmp(r->method, "POST") == 0 ? METHOD_POST : 0;
}

/* RFC 8555 6.3: everything else is fetched by POST. */
static bool
is_allowed(struct call *c)
{
	int method = method_of(c->http);

	if ((routes[c->endpoint].methods & method) == 0)
		return answer_problem(
		    c->answer, 405, "malformed", "%s is not for this resource", c->http->method);
	return method != METHOD_POST || auth_open(c, routes[c->endpoint].signer);
}

static const struct fault *
first_of(const struct call *c, enum fault_stage stage)
{
	for (size_t i = 0; i < c->faults.count; i++)
		if (c->faults.list[i]->kind->stage == stage)
			return c->faults.list[i];
	return NULL;
}

/* What a client that makes no mistakes does not meet; that there is no account yet is news, and no
 * refusal. */
static void
count_refusal(struct call *c)
{
	const char *type = c->answer->problem;
	json_int_t n = json_integer_value(json_object_get(c->ca->refused, type));
	bool news = c->endpoint == EP_NEW_ACCOUNT && strcmp(type, "accountDoesNotExist") == 0;

	if (*type != '\0' && !news)
		json_object_set_new(c->ca->refused, type, json_integer(n + 1));
}

/* The honest answer, unless a fault stands in its place. */
static void
process(struct call *c)
{
	const struct fault *instead = first_of(c, FAULT_INSTEAD);
	bool allowed = is_allowed(c);

	if (allowed && (instead == NULL || fault_flag(instead, "processed")))
		routes[c->endpoint].handle(c);
	count_refusal(c);
	if (allowed && instead != NULL)
		instead->kind->apply(instead, c->answer);
}

static void
add_nonce(struct call *c)
{
	struct nonces *nonces = c->ca->nonces;
	char text[NONCE_TEXT];

	if (c->answer->nonce == NONCE_NONE)
		return;
	nonces_make(nonces, text);
	if (c->answer->nonce == NONCE_USED)
		nonces_use(nonces, text);
	answer_header(c->answer, "Replay-Nonce", "%s", text);
}

static void
spoil(struct call *c)
{
	for (size_t i = 0; i < c->faults.count; i++) {
		const struct fault *f = c->faults.list[i];

		c->ca->counts.faults[f->id]++;
		if (f->kind->stage == FAULT_AFTER)
			f->kind->apply(f, c->answer);
	}
}

static void
handle(void *arg, uint64_t connection, const struct request *r, struct answer *a)
{
	struct ca *ca = arg;
	struct call c = {.ca = ca, .http = r, .answer = a};

	find_route(&c);
	ca->counts.requests[c.endpoint]++;
	rules_match(ca->rules, c.endpoint, &c.faults);
	a->nonce = routes[c.endpoint].nonce ? NONCE_FRESH : NONCE_NONE;
	process(&c);
	if (c.endpoint != EP_DIRECTORY)
		answer_header(a, "Link", "<%s/dir>;rel=\"index\"", ca->url);
	spoil(&c);
	add_nonce(&c);
	ca->counts.status[a->status < STATUS_CODES ? a->status : 0]++;
	journal_add(ca->journal, &c, connection);
	jwk_free(c.key);
	json_decref(c.header);
	json_decref(c.payload);
}

static struct greeting
greet(void *arg)
{
	struct ca *ca = arg;
	struct fault_set faults;
	enum trust_kind kind = TRUST_GOOD;
	struct greeting g = {0};

	ca->counts.requests[EP_CONNECTION]++;
	rules_match(ca->rules, EP_CONNECTION, &faults);
	for (size_t i = 0; i < faults.count; i++) {
		const struct fault *f = faults.list[i];
		bool late = strcmp(fault_string(f, "at", "accept"), "handshake") == 0;

		ca->counts.faults[f->id]++;
		if (f->id == FAULT_TLS)
			kind = trust_kind_of(fault_string(f, "certificate", "expired"));
		g.silent = g.silent || f->id == FAULT_MUTE;
		g.reset = g.reset || (f->id == FAULT_REFUSE && !late);
		g.reset_later = g.reset_later || (f->id == FAULT_REFUSE && late);
	}
	g.tls = trust_context(ca->trust, kind < TRUST_COUNT ? kind : TRUST_EXPIRED);
	return g;
}

static char *
make_url(const struct ca *ca)
{
	const char *address = server_address(ca->server);

	if (ca->options->host == NULL)
		return xasprintf("https://%s", address);
	return xasprintf("https://%s%s", ca->options->host, strrchr(address, ':'));
}

bool
ca_init(struct ca *ca, struct options *options, struct event_base *base, struct err *e)
{
	*ca = (struct ca){.options = options, .base = base};
	TAILQ_INIT(&ca->probes);
	state_init(&ca->state);
	ca->issuer = issuer_new();
	ca->trust = trust_new();
	ca->nonces = nonces_new();
	ca->rules = rules_new();
	ca->journal = journal_new((size_t)options->log_size);
	ca->refused = json_object();
	ca->server = server_new(&(struct server_conf){.base = base,
				    .address = options->listen,
				    .arg = ca,
				    .greet = greet,
				    .handle = handle},
	    e);
	if (ca->server == NULL)
		return false;
	ca->url = make_url(ca);
	return true;
}

void
ca_reset(struct ca *ca, bool state)
{
	rules_clear(ca->rules);
	journal_clear(ca->journal);
	server_reset_counts(ca->server);
	json_object_clear(ca->refused);
	ca->counts = (struct ca_counts){0};
	if (!state)
		return;
	probe_list_clear(&ca->probes);
	state_forget(&ca->state);
	nonces_forget(ca->nonces);
}

void
ca_done(struct ca *ca)
{
	server_free(ca->server);
	probe_list_clear(&ca->probes);
	state_done(&ca->state);
	json_decref(ca->refused);
	journal_free(ca->journal);
	rules_free(ca->rules);
	nonces_free(ca->nonces);
	trust_free(ca->trust);
	issuer_free(ca->issuer);
	free(ca->url);
}
