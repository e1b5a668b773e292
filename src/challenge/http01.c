/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/http01.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "challenge/challenges.h"
#include "challenge/present_now.h"
#include "challenge/tokens.h"
#include "codec/ip.h"
#include "ev/listener.h"
#include "http/server.h"

static const char PATH[] = "/.well-known/acme-challenge/";

enum {
	HEADERS_MAX = 8 * 1024,
	RECEIVE_MS = 10 * 1000,
	IDLE_MS = 15 * 1000,
	WARN_EVERY_MS = 60 * 1000, /* a front end that passes no Host does so every time */
	HOST_SHOWN = 100,
};

struct http01 {
	struct challenge base;
	struct tokens *tokens; /* of all */
	struct http_server *server;
	struct listener **listeners;
	size_t listener_count;
	const char *greeting; /* or NULL */
	int64_t next_warning;
};

/* ---- present and withdraw ---- */

static void
take_away(struct challenge *c, const char *token, void *arg)
{
	struct http01 *h = (struct http01 *)c;

	if (tokens_remove(h->tokens, token, arg))
		challenge_end(c);
}

static void
http01_present(struct acme_solver *solver, const struct acme_answer *answer,
    acme_presented_fn *done, acme_fetched_fn *fetched, void *arg, struct op **slot)
{
	struct http01 *h = (struct http01 *)solver;
	struct err e = {0};

	if (tokens_add(h->tokens, answer, fetched, arg, &e))
		challenge_begin(&h->base);
	present_now(&h->base, answer->token, &e, take_away, done, arg, slot);
}

static void
http01_withdraw(struct acme_solver *solver, const struct acme_answer *answer, void *arg)
{
	take_away((struct challenge *)solver, answer->token, arg);
}

/* ---- the server ---- */

static bool
is_reading(const struct http_exchange *x)
{
	const char *method = http_exchange_method(x);

	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void
reply_line(struct http_exchange *x, int status, const char *line)
{
	http_exchange_reply(x,
	    &(struct http_reply){
		.status = status,
		.content_type = "text/plain",
		.body = line,
		.body_len = strlen(line),
	    });
}

/* Somebody looks whether we are there, or asks for what is not. */
static void
reply_without_token(const struct http01 *h, struct http_exchange *x)
{
	if (h->greeting != NULL && is_reading(x) && strcmp(http_exchange_target(x), "/") == 0)
		reply_line(x, 200, h->greeting);
	else
		reply_line(x, 404, "there is no such challenge here\n");
}

/* The host of a Host header: without its port, and without brackets. */
static bool
host_equals(const char *header, const char *expected)
{
	size_t len = strcspn(header, ":");

	if (header[0] == '[') {
		header++;
		len = strcspn(header, "]");
	}
	return len == strlen(expected) && strncasecmp(header, expected, len) == 0;
}

/* RFC 8555 8.3 promises the name in Host. It changes nothing for us, but a front end that hides it
 * would send challenges to the wrong place once there are two back ends. */
static void
check_host(struct http01 *h, const struct http_exchange *x, const struct token *token)
{
	const char *host = http_exchange_header(x, "Host");
	const char *expected = token_name(token);

	if (host != NULL && host_equals(host, expected))
		return;
	if (clock_mono_ms() < h->next_warning)
		return;
	h->next_warning = clock_mono_ms() + WARN_EVERY_MS;

	char *text = xasprintf(
	    "challenge for %s was fetched with Host \"%.*s\" by %s: answered, but a front end "
	    "should pass the Host header on",
	    expected, HOST_SHOWN, host == NULL ? "" : host, http_exchange_peer_text(x));
	challenge_warn(&h->base, text);
	free(text);
}

static const struct token *
find_token(const struct http01 *h, const struct http_exchange *x)
{
	const char *target = http_exchange_target(x);

	if (!is_reading(x))
		return NULL;
	if (strncmp(target, PATH, sizeof(PATH) - 1) != 0)
		return NULL;
	target += sizeof(PATH) - 1;
	return tokens_find(h->tokens, target, strlen(target));
}

static void
handle(void *arg, struct http_exchange *x)
{
	struct http01 *h = arg;
	const struct token *token = find_token(h, x);

	if (token == NULL) {
		reply_without_token(h, x);
		return;
	}
	check_host(h, x, token);
	bool fetched = strcmp(http_exchange_method(x), "GET") == 0;
	http_exchange_reply(x,
	    &(struct http_reply){
		.status = 200,
		.content_type = "application/octet-stream",
		.body = token_key_authorization(token),
		.body_len = strlen(token_key_authorization(token)),
	    });
	if (fetched) {
		h->base.stats->answered++;
		tokens_fetched(h->tokens, token);
	}
}

/* ---- life ---- */

static bool
open_one(struct http01 *h, const struct listen_address *addr, bool skip_no_family, struct err *e)
{
	bool no_family = false;
	struct listener *l = listener_open(h->base.loop, addr, &no_family, e);

	if (l == NULL && no_family && skip_no_family) {
		char *text = xasprintf("default listener left out: %s", e->detail);
		challenge_warn(&h->base, text);
		free(text);
		return true;
	}
	if (l == NULL)
		return false;
	h->listeners = xreallocarray(h->listeners, h->listener_count + 1, sizeof(*h->listeners));
	h->listeners[h->listener_count++] = l;
	return true;
}

static bool
open_spec(struct http01 *h, const char *spec, bool skip_no_family, struct err *e)
{
	struct listen_address *addrs = NULL;
	size_t count = 0;
	bool ok = listen_addresses(spec, &addrs, &count, e);

	for (size_t i = 0; ok && i < count; i++)
		ok = open_one(h, &addrs[i], skip_no_family, e);
	free(addrs);
	return ok;
}

static bool
open_listeners(struct http01 *h, const struct challenge_http01_conf *conf, struct err *e)
{
	static const char *const defaults[] = {"0.0.0.0:1380", "[::]:1380"};
	bool given = conf->listener_count > 0;
	size_t count = given ? conf->listener_count : sizeof(defaults) / sizeof(defaults[0]);

	for (size_t i = 0; i < count; i++)
		if (!open_spec(h, given ? conf->listeners[i] : defaults[i],
			!given || conf->default_listeners, e))
			return err_prefix(e, "listener");
	if (h->listener_count == 0)
		return err_set(e, ERR_CONFIG, "no listener could be opened");
	return true;
}

static bool
http01_serve(struct challenge *c, bool take, struct err *e)
{
	struct http01 *h = (struct http01 *)c;

	for (size_t i = 0; i < h->listener_count; i++)
		if ((take || !listener_lent(h->listeners[i])) &&
		    !http_server_serve(h->server, h->listeners[i], e))
			return false;
	return true;
}

static void
http01_free(struct challenge *c)
{
	struct http01 *h = (struct http01 *)c;

	http_server_free(h->server);
	for (size_t i = 0; i < h->listener_count; i++)
		listener_free(h->listeners[i]);
	free(h->listeners);
	challenge_head_done(&h->base);
	free(h);
}

static struct challenge *
http01_new(struct challenges *all, const struct challenge_conf *conf, struct err *e)
{
	struct http01 *h = xcalloc(1, sizeof(*h));
	struct err local;

	challenge_head_init(&h->base, all, &challenge_http01, conf);
	h->base.solver = (struct acme_solver){"http-01", http01_present, http01_withdraw};
	h->greeting = conf->http01.greeting;
	h->tokens = challenges_tokens(all);
	h->server = http_server_new(h->base.loop,
	    &(struct http_server_conf){
		.max_headers = HEADERS_MAX,
		.receive_ms = RECEIVE_MS,
		.idle_ms = IDLE_MS,
		.handler = handle,
		.arg = h,
		.stats = challenges_count_http(all),
	    });
	if (open_listeners(h, &conf->http01, e != NULL ? e : &local))
		return &h->base;
	http01_free(&h->base);
	return NULL;
}

const struct challenge_kind challenge_http01 = {
    .config_name = "http01",
    .wildcards = false,
    .ip = true,
    .new = http01_new,
    .serve = http01_serve,
    .free = http01_free,
};
