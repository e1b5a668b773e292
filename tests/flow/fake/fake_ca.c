/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_ca.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "codec/b64url.h"
#include "fake_ca_state.h"

/* ---- answers ---- */

void
fake_violation(struct fake_ca *ca, const char *fmt, ...)
{
	va_list ap;

	if (ca->violation[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(ca->violation, sizeof(ca->violation), fmt, ap);
	va_end(ap);
}

void
fake_json_reply(struct fake_http_reply *reply, int status, struct json *body)
{
	char *text = json_text(body, 0);

	json_free(body);
	fake_http_status(reply, status, text);
	fake_http_header(reply, "Content-Type", "application/json");
	free(text);
}

void
fake_ca_problem(struct fake_http_reply *reply, int status, const char *type, const char *detail)
{
	struct json *body = json_new_object();
	char *urn = xasprintf("urn:ietf:params:acme:error:%s", type);

	json_set_string(body, "type", urn);
	json_set_string(body, "detail", detail);
	json_set_integer(body, "status", status);
	fake_json_reply(reply, status, body);
	free(urn);
}

static void
retry_after(const struct fake_ca *ca, int seconds, struct fake_http_reply *reply)
{
	char date[64];
	time_t when = (time_t)(clock_wall() + seconds);
	struct tm tm;

	if (seconds <= 0)
		return;
	if (!ca->retry_after_date) {
		fake_http_header(reply, "Retry-After", "%d", seconds);
		return;
	}
	gmtime_r(&when, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	fake_http_header(reply, "Retry-After", "%s", date);
}

/* ---- nonces and signed requests ---- */

static void
give_nonce(struct fake_ca *ca, struct fake_http_reply *reply)
{
	struct fake_ca_state *st = ca->state;

	if (st->next_nonce < FAKE_NONCES)
		fake_http_header(reply, "Replay-Nonce", "nonce-%u", st->next_nonce++);
}

static bool
take_nonce(struct fake_ca *ca, const char *nonce)
{
	struct fake_ca_state *st = ca->state;
	unsigned n;

	if (nonce == NULL || sscanf(nonce, "nonce-%u", &n) != 1 || n >= st->next_nonce) {
		fake_violation(ca, "a nonce we never gave: %s", nonce != NULL ? nonce : "none");
		return false;
	}
	if (st->nonce_used[n])
		fake_violation(ca, "nonce %u used twice", n);
	st->nonce_used[n] = true;
	if (ca->bad_nonces > 0) {
		ca->bad_nonces--;
		return false;
	}
	return n >= st->first_nonce;
}

char *
fake_decoded(const struct json *jws, const char *member)
{
	const char *text = json_string(jws, member);
	uint8_t *data;
	size_t len;

	if (text == NULL || !b64url_decode(text, strlen(text), &data, &len))
		return NULL;
	return (char *)data;
}

static bool
known_kid(const struct fake_ca *ca, const char *kid)
{
	char url[128];

	for (size_t i = 0; i < ca->state->account_count; i++) {
		snprintf(url, sizeof(url), "%s/account/%u", ca->base, ca->state->accounts[i].id);
		if (strcmp(url, kid) == 0)
			return true;
	}
	return false;
}

static bool
check_key(struct fake_ca *ca, enum fake_step step, const struct json *protected,
    struct fake_http_reply *reply)
{
	const char *kid = json_string(protected, "kid");
	const struct json *jwk = json_member(protected, "jwk");

	if ((kid != NULL) == (jwk != NULL))
		fake_violation(ca, "not exactly one of kid and jwk");
	if (step != FAKE_REVOKE && (step == FAKE_NEW_ACCOUNT) != (jwk != NULL))
		fake_violation(ca, "the wrong one of kid and jwk at step %d", (int)step);
	if (kid == NULL)
		return true;
	snprintf(ca->last_kid, sizeof(ca->last_kid), "%s", kid);
	if (known_kid(ca, kid))
		return true;
	fake_ca_problem(reply, 400, "accountDoesNotExist", "no such account");
	return false;
}

bool
fake_signed_open(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_signed *s, struct fake_http_reply *reply)
{
	struct json *jws =
	    request->body != NULL ? json_parse(request->body, strlen(request->body), NULL) : NULL;
	char *text = jws != NULL ? fake_decoded(jws, "protected") : NULL;
	const char *url;

	*s = (struct fake_signed){0};
	if (strcmp(request->method, "POST") != 0 || request->content_type == NULL ||
	    strcmp(request->content_type, "application/jose+json") != 0)
		fake_violation(
		    ca, "%s %s is not a POST of jose+json", request->method, request->url);
	s->protected = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
	s->payload = jws != NULL ? fake_decoded(jws, "payload") : NULL;
	if (s->protected == NULL || s->payload == NULL || json_string(jws, "signature") == NULL)
		fake_violation(ca, "no JWS at %s", request->url);
	url = json_string(s->protected, "url");
	if (url == NULL || strcmp(url, request->url) != 0)
		fake_violation(ca, "url %s sent to %s", url != NULL ? url : "?", request->url);
	if (s->payload != NULL) {
		snprintf(ca->last_payload[step], sizeof(ca->last_payload[step]), "%s", s->payload);
		s->body = json_parse(s->payload, strlen(s->payload), NULL);
	}
	free(text);
	if (!take_nonce(ca, json_string(s->protected, "nonce"))) {
		ca->bad_nonce_answers++;
		fake_ca_problem(reply, 400, "badNonce", "an unacceptable nonce");
		json_free(jws);
		return false;
	}
	json_free(jws);
	return check_key(ca, step, s->protected, reply);
}

void
fake_signed_close(struct fake_signed *s)
{
	json_free(s->protected);
	json_free(s->body);
	free(s->payload);
}

/* ---- the directory ---- */

static struct json *
meta(const struct fake_ca *ca)
{
	struct json *object = json_new_object();
	struct json *profiles;
	char *list;
	char *save = NULL;

	if (ca->terms != NULL)
		json_set_string(object, "termsOfService", ca->terms);
	json_set_bool(object, "externalAccountRequired", ca->binding);
	if (ca->profiles == NULL)
		return object;
	profiles = json_new_object();
	list = xstrdup(ca->profiles);
	for (char *name = strtok_r(list, ",", &save); name != NULL;
	     name = strtok_r(NULL, ",", &save))
		json_set_string(profiles, name, "https://ca.test/docs");
	free(list);
	json_set(object, "profiles", profiles);
	return object;
}

static void
fake_directory(struct fake_ca *ca, struct fake_http_reply *reply)
{
	static const char *const rows[][2] = {
	    {"newNonce", "new-nonce"},
	    {"newAccount", "new-account"},
	    {"newOrder", "new-order"},
	    {"revokeCert", "revoke"},
	    {"keyChange", "key-change"},
	    {"renewalInfo", "renewal-info"},
	};
	size_t count = sizeof(rows) / sizeof(rows[0]) - !ca->renewal_info;
	struct json *body = json_new_object();
	char url[128];

	for (size_t i = 0; i < count; i++) {
		snprintf(url, sizeof(url), "%s/%s", ca->base, rows[i][1]);
		json_set_string(body, rows[i][0], url);
	}
	if (ca->null_meta)
		json_set_string(body, "meta", NULL);
	else
		json_set(body, "meta", meta(ca));
	fake_json_reply(reply, 200, body);
}

/* ---- which step a URL is ---- */

static const struct {
	enum fake_step step;
	const char *path;
} paths[] = {
    {FAKE_DIRECTORY, "/directory"},
    {FAKE_NEW_NONCE, "/new-nonce"},
    {FAKE_NEW_ACCOUNT, "/new-account"},
    {FAKE_NEW_ORDER, "/new-order"},
    {FAKE_ACCOUNT, "/account/%u"},
    {FAKE_ORDER, "/order/%u"},
    {FAKE_AUTHORIZATION, "/authz/%u"},
    {FAKE_CHALLENGE, "/challenge/%u/"},
    {FAKE_FINALIZE, "/finalize/%u"},
    {FAKE_CERTIFICATE, "/certificate/%u"},
    {FAKE_REVOKE, "/revoke"},
    {FAKE_KEY_CHANGE, "/key-change"},
};

static bool
step_of(struct fake_ca *ca, const char *url, enum fake_step *ret_step, unsigned *ret_id)
{
	size_t n = strlen(ca->base);

	if (strncmp(url, ca->base, n) != 0)
		return false;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *path = paths[i].path;
		size_t fixed = strcspn(path, "%");
		bool whole = path[fixed] == '\0';

		if (strncmp(url + n, path, fixed) != 0 || (whole && url[n + fixed] != '\0'))
			continue;
		*ret_step = paths[i].step;
		*ret_id = whole ? 0 : (unsigned)strtoul(url + n + fixed, NULL, 10);
		return true;
	}
	return false;
}

static void
answer_signed(struct fake_ca *ca, enum fake_step step, unsigned id,
    const struct fake_http_request *request, struct fake_http_reply *reply)
{
	struct fake_signed s;

	if (fake_signed_open(ca, step, request, &s, reply)) {
		if (step == FAKE_NEW_ACCOUNT)
			fake_new_account(ca, &s, reply);
		else if (step == FAKE_ACCOUNT)
			fake_account(ca, &s, reply);
		else if (step == FAKE_NEW_ORDER)
			fake_new_order(ca, &s, reply);
		else if (step == FAKE_ORDER)
			fake_order(ca, id, reply);
		else if (step == FAKE_AUTHORIZATION)
			fake_authorization(ca, id, reply);
		else if (step == FAKE_CHALLENGE)
			fake_challenge(ca, id, strrchr(request->url, '/') + 1, reply);
		else if (step == FAKE_FINALIZE)
			fake_finalize(ca, id, &s, reply);
		else if (step == FAKE_CERTIFICATE)
			fake_certificate(ca, id, reply);
		else if (step == FAKE_REVOKE)
			fake_revoke(ca, &s, reply);
		else
			fake_key_change(ca, &s, reply);
	}
	fake_signed_close(&s);
}

static void
answer(struct fake_ca *ca, enum fake_step step, unsigned id,
    const struct fake_http_request *request, struct fake_http_reply *reply)
{
	if (step == FAKE_DIRECTORY)
		fake_directory(ca, reply);
	else if (step == FAKE_NEW_NONCE)
		fake_http_status(reply, strcmp(request->method, "HEAD") == 0 ? 200 : 204, NULL);
	else
		answer_signed(ca, step, id, request, reply);
	if (step == FAKE_CERTIFICATE &&
	    (request->accept == NULL || strstr(request->accept, "pem-certificate-chain") == NULL))
		fake_violation(ca, "the certificate was not asked for as a PEM chain");
	if (step == FAKE_NEW_NONCE || (step != FAKE_DIRECTORY && !ca->no_nonces))
		give_nonce(ca, reply);
	retry_after(ca, ca->retry_after[step], reply);
}

void
fake_ca_handle(void *arg, const struct fake_http_request *request, struct fake_http_reply *reply)
{
	struct fake_ca *ca = arg;
	enum fake_step step;
	unsigned id;

	reply->delay_ms = ca->delay_ms;
	ca->requests++;
	if (!step_of(ca, request->url, &step, &id)) {
		fake_violation(ca, "no such URL: %s", request->url);
		fake_http_status(reply, 404, "not found");
		return;
	}
	ca->count[step]++;
	if (ca->before != NULL && ca->before(ca, step, request, reply))
		return;
	answer(ca, step, id, request, reply);
	if (ca->after != NULL)
		ca->after(ca, step, request, reply);
}

/* ---- life ---- */

void
fake_ca_init(struct fake_ca *ca, struct loop *loop, const char *base)
{
	memset(ca, 0, sizeof(*ca));
	ca->loop = loop;
	snprintf(ca->base, sizeof(ca->base), "%s", base);
	ca->challenges = "http-01,dns-01";
	ca->days = 90;
	ca->state = xcalloc(1, sizeof(*ca->state));
	ca->state->next_id = 1;
}

static void
forget_accounts(struct fake_ca *ca)
{
	for (size_t i = 0; i < ca->state->account_count; i++) {
		free(ca->state->accounts[i].jwk);
		json_free(ca->state->accounts[i].contact);
	}
	ca->state->account_count = 0;
}

void
fake_ca_forget(struct fake_ca *ca)
{
	forget_accounts(ca);
	fake_orders_forget(ca);
	ca->state->first_nonce = ca->state->next_nonce;
}

void
fake_ca_move_accounts(struct fake_ca *ca)
{
	for (size_t i = 0; i < ca->state->account_count; i++)
		ca->state->accounts[i].id = ca->state->next_id++;
}

void
fake_ca_done(struct fake_ca *ca)
{
	forget_accounts(ca);
	fake_orders_forget(ca);
	free(ca->state);
}

void
fake_ca_install(struct fake_ca *ca)
{
	fake_http_handle(fake_ca_handle, ca);
}
