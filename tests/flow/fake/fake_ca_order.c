/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders, authorizations, challenges and certificates of the fake CA. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "codec/b64url.h"
#include "codec/chain.h"
#include "codec/date.h"
#include "ev/timer.h"
#include "fake_ca_state.h"
#include "fake_cert.h"
#include "fake_solver.h"

enum { RETRY_MS = 2000 };

static const char *const status_names[] = {
    [FAKE_PENDING] = "pending",
    [FAKE_READY] = "ready",
    [FAKE_PROCESSING] = "processing",
    [FAKE_VALID] = "valid",
    [FAKE_INVALID] = "invalid",
};

/* ---- authorizations ---- */

static bool
listed(const char *names, const char *name)
{
	char word[260];

	snprintf(word, sizeof(word), ",%s,", name);
	return names != NULL && strstr(names, word) != NULL;
}

/* What was presented has to be TOKEN.THUMBPRINT; the thumbprint is the unit tests' business. */
static bool
proven(struct fake_ca *ca, const struct fake_authz *a)
{
	const char *found;
	size_t n = strlen(a->token);

	if (ca->solver == NULL)
		return true;
	found = fake_solver_fetch(ca->solver, a->token);
	return found != NULL && strncmp(found, a->token, n) == 0 && found[n] == '.' &&
	    strlen(found + n + 1) == 43;
}

static void
validate(void *arg)
{
	struct fake_authz *a = arg;
	struct fake_ca *ca = a->ca;
	bool good = proven(ca, a) && !listed(ca->fail, a->name);

	a->error = !good;
	if (good) {
		a->status = a->challenge = FAKE_VALID;
	} else if (ca->challenge_retries) {
		a->challenge = FAKE_PROCESSING;
		timer_start(a->timer, RETRY_MS);
	} else {
		a->challenge = FAKE_INVALID;
		a->status = ca->challenge_only ? FAKE_PENDING : FAKE_INVALID;
	}
}

static struct fake_authz *
authz_new(struct fake_ca *ca, const struct json *identifier)
{
	struct fake_ca_state *st = ca->state;
	struct fake_authz *a = xcalloc(1, sizeof(*a));
	const char *value = json_string(identifier, "value");
	const char *type = json_string(identifier, "type");

	a->ca = ca;
	a->id = st->next_id++;
	a->wildcard = value != NULL && strncmp(value, "*.", 2) == 0;
	a->ip = type != NULL && strcmp(type, "ip") == 0;
	snprintf(
	    a->name, sizeof(a->name), "%s", value != NULL ? value + (a->wildcard ? 2 : 0) : "");
	snprintf(a->token, sizeof(a->token), "token-%u", a->id);
	a->status = ca->authorized || ca->ready || listed(ca->authorized_names, a->name)
	    ? FAKE_VALID
	    : FAKE_PENDING;
	a->challenge = ca->challenge_processing ? FAKE_PROCESSING : FAKE_PENDING;
	a->timer = timer_new(ca->loop, validate, a);
	if (ca->challenge_processing)
		timer_start(a->timer, ca->validation_ms);
	st->authzs = xreallocarray(st->authzs, st->authz_count + 1, sizeof(*st->authzs));
	st->authzs[st->authz_count++] = a;
	return a;
}

static struct fake_authz *
authz_find(struct fake_ca *ca, unsigned id)
{
	for (size_t i = 0; i < ca->state->authz_count; i++)
		if (ca->state->authzs[i]->id == id)
			return ca->state->authzs[i];
	return NULL;
}

static struct json *
error_object(const struct fake_ca *ca, const char *name)
{
	struct json *error = json_new_object();
	char text[400];

	snprintf(text, sizeof(text), "urn:ietf:params:acme:error:%s",
	    ca->fail_type != NULL ? ca->fail_type : "connection");
	json_set_string(error, "type", text);
	snprintf(text, sizeof(text), "no connection to %s", name);
	json_set_string(error, "detail", text);
	json_set_integer(error, "status", 400);
	return error;
}

static struct json *
challenge_object(const struct fake_authz *a, const char *type)
{
	const struct fake_ca *ca = a->ca;
	bool posted = a->type[0] == '\0' || strcmp(a->type, type) == 0;
	struct json *object = json_new_object();
	char url[160];

	snprintf(url, sizeof(url), "%s/challenge/%u/%s", ca->base, a->id, type);
	json_set_string(object, "type", type);
	json_set_string(object, "url", url);
	json_set_string(object, "token", a->token);
	json_set_string(object, "status", status_names[posted ? a->challenge : FAKE_PENDING]);
	if (posted && a->error)
		json_set(object, "error", error_object(ca, a->name));
	return object;
}

/* One a client cannot know, without a token, is always there. */
static struct json *
challenge_list(const struct fake_authz *a)
{
	struct json *array = json_new_array();
	struct json *strange = json_new_object();
	char *list = xstrdup(a->ca->challenges);
	char *save = NULL;

	json_set_string(strange, "type", "dns-persist-01");
	json_set_string(strange, "url", "https://ca.test/strange");
	json_set_string(strange, "status", "pending");
	json_add(array, strange);
	for (char *type = strtok_r(list, ",", &save); type != NULL;
	     type = strtok_r(NULL, ",", &save))
		if (!a->wildcard || strcmp(type, "http-01") != 0)
			json_add(array, challenge_object(a, type));
	free(list);
	return array;
}

void
fake_authorization(struct fake_ca *ca, unsigned id, struct fake_http_reply *reply)
{
	struct fake_authz *a = authz_find(ca, id);
	struct json *body;
	struct json *identifier;

	if (a == NULL) {
		fake_ca_problem(reply, 404, "malformed", "no such authorization");
		return;
	}
	body = json_new_object();
	identifier = json_new_object();
	json_set_string(identifier, "type", a->ip ? "ip" : "dns");
	json_set_string(identifier, "value", a->name);
	json_set(body, "identifier", identifier);
	json_set_string(body, "status", status_names[a->status]);
	if (a->wildcard)
		json_set_bool(body, "wildcard", true);
	/* One that was there before may have been proven in another way. */
	json_set(
	    body, "challenges", ca->authorized || ca->ready ? json_new_array() : challenge_list(a));
	fake_json_reply(reply, 200, body);
}

void
fake_challenge(struct fake_ca *ca, unsigned id, const char *type, struct fake_http_reply *reply)
{
	struct fake_authz *a = authz_find(ca, id);

	if (a == NULL) {
		fake_ca_problem(reply, 404, "malformed", "no such challenge");
		return;
	}
	if (strcmp(ca->last_payload[FAKE_CHALLENGE], "{}") != 0)
		fake_violation(ca, "challenge with payload %s", ca->last_payload[FAKE_CHALLENGE]);
	/* As Let's Encrypt. */
	if (a->posts++ > 0 || a->challenge != FAKE_PENDING) {
		fake_violation(ca, "challenge %u posted twice", id);
		fake_ca_problem(reply, 409, "malformed", "the challenge is not pending");
		return;
	}
	snprintf(a->type, sizeof(a->type), "%s", type);
	a->challenge = FAKE_PROCESSING;
	if (ca->validate_in_post)
		validate(a);
	if (ca->empty_answers)
		fake_http_status(reply, 200, NULL);
	else
		fake_json_reply(reply, 200, challenge_object(a, type));
	if (ca->validation_ms > 0)
		timer_start(a->timer, ca->validation_ms);
	else if (!ca->validate_in_post)
		validate(a);
}

/* ---- orders ---- */

static struct fake_order *
order_find(struct fake_ca *ca, unsigned id)
{
	for (size_t i = 0; i < ca->state->order_count; i++)
		if (ca->state->orders[i]->id == id)
			return ca->state->orders[i];
	return NULL;
}

static void
order_add_names(struct fake_ca *ca, struct fake_order *o, const struct json *identifiers)
{
	for (size_t i = 0; i < json_array_count(identifiers) && i < FAKE_NAMES; i++)
		o->authz[o->authz_count++] = authz_new(ca, json_array_at(identifiers, i))->id;
}

static struct fake_order *
order_new(struct fake_ca *ca, const struct fake_signed *s, char *key)
{
	struct fake_ca_state *st = ca->state;
	struct fake_order *o = xcalloc(1, sizeof(*o));

	o->id = st->next_id++;
	o->key = key;
	o->expires = clock_wall() + (ca->expires_s != 0 ? ca->expires_s : 7 * 86400);
	if (!ca->no_authorizations)
		order_add_names(ca, o, json_member(s->body, "identifiers"));
	o->status = ca->ready ? FAKE_READY : FAKE_PENDING;
	o->polls = ca->order_polls;
	if (ca->foreign > 0) {
		ca->foreign--;
		o->foreign = true;
		o->status = ca->foreign_valid ? FAKE_VALID : FAKE_PROCESSING;
	}
	st->orders = xreallocarray(st->orders, st->order_count + 1, sizeof(*st->orders));
	st->orders[st->order_count++] = o;
	ca->orders_made++;
	return o;
}

static void
order_update(struct fake_ca *ca, struct fake_order *o, bool poll)
{
	bool valid = true;

	for (size_t i = 0; i < o->authz_count; i++) {
		const struct fake_authz *a = authz_find(ca, o->authz[i]);

		valid = valid && a->status == FAKE_VALID;
		if (a->status == FAKE_INVALID && o->status == FAKE_PENDING)
			o->status = FAKE_INVALID;
	}
	if (o->foreign || (o->status != FAKE_PENDING && o->status != FAKE_PROCESSING))
		return;
	if (o->status == FAKE_PENDING && !valid)
		return;
	if (o->polls > 0) {
		o->polls -= poll;
		return;
	}
	if (poll || o->status == FAKE_PENDING)
		o->status = o->status == FAKE_PENDING ? FAKE_READY : FAKE_VALID;
}

static void
order_reply(
    struct fake_ca *ca, const struct fake_order *o, int status, struct fake_http_reply *reply)
{
	struct json *body = json_new_object();
	struct json *authorizations = json_new_array();
	char text[160];

	for (size_t i = 0; i < o->authz_count; i++) {
		snprintf(text, sizeof(text), "%s/authz/%u", ca->base, o->authz[i]);
		json_add_string(authorizations, text);
		if (i == 0 && ca->twice_listed)
			json_add_string(authorizations, text);
	}
	json_set_string(body, "status", status_names[o->status]);
	json_set_string(body, "expires", date_format_rfc3339(o->expires, text));
	json_set(body, "authorizations", authorizations);
	snprintf(text, sizeof(text), "%s/finalize/%u", ca->base, o->id);
	json_set_string(body, "finalize", text);
	if (o->status == FAKE_VALID) {
		snprintf(text, sizeof(text), "%s/certificate/%u", ca->base, o->id);
		json_set_string(body, "certificate", text);
	}
	fake_json_reply(reply, status, body);
}

void
fake_new_order(struct fake_ca *ca, const struct fake_signed *s, struct fake_http_reply *reply)
{
	char *key = xstrdup(s->payload);
	struct fake_order *o = NULL;

	for (size_t i = 0; ca->reuse && i < ca->state->order_count; i++) {
		struct fake_order *old = ca->state->orders[i];

		order_update(ca, old, false);
		if (strcmp(old->key, key) == 0 &&
		    (old->status == FAKE_PENDING || old->status == FAKE_READY))
			o = old;
	}
	if (o == NULL)
		o = order_new(ca, s, key);
	else
		free(key);
	order_reply(ca, o, 201, reply);
	fake_http_header(reply, "Location", "%s/order/%u", ca->base, o->id);
}

void
fake_order(struct fake_ca *ca, unsigned id, struct fake_http_reply *reply)
{
	struct fake_order *o = order_find(ca, id);

	if (o == NULL) {
		fake_ca_problem(reply, 404, "malformed", "no such order");
		return;
	}
	order_update(ca, o, true);
	order_reply(ca, o, 200, reply);
}

static void
order_issue(struct fake_ca *ca, struct fake_order *o, const struct fake_signed *s)
{
	const char *text = json_string(s->body, "csr");
	uint8_t *der;
	size_t len;

	if (text == NULL || !b64url_decode(text, strlen(text), &der, &len)) {
		fake_violation(ca, "finalize without a CSR");
		return;
	}
	o->pem = fake_chain(der, len, ca->days, ca->other_key > 0 ? FAKE_CHAIN_OTHER_KEY : 0);
	ca->other_key -= ca->other_key > 0;
	ca->certificates++;
	free(der);
}

void
fake_finalize(
    struct fake_ca *ca, unsigned id, const struct fake_signed *s, struct fake_http_reply *reply)
{
	struct fake_order *o = order_find(ca, id);

	if (o == NULL) {
		fake_ca_problem(reply, 404, "malformed", "no such order");
		return;
	}
	order_update(ca, o, false);
	if (o->status != FAKE_READY || ca->not_ready > 0) {
		ca->not_ready -= ca->not_ready > 0;
		fake_ca_problem(reply, 403, "orderNotReady", "the order is not ready");
		return;
	}
	order_issue(ca, o, s);
	o->polls = ca->processing_polls;
	o->status = ca->finalize_valid ? FAKE_VALID : FAKE_PROCESSING;
	order_reply(ca, o, 200, reply);
	if (ca->empty_answers)
		fake_http_status(reply, 200, NULL);
}

void
fake_certificate(struct fake_ca *ca, unsigned id, struct fake_http_reply *reply)
{
	struct fake_order *o = order_find(ca, id);

	if (o == NULL || o->pem == NULL) {
		fake_ca_problem(reply, 404, "malformed", "no such certificate");
		return;
	}
	fake_http_status(reply, 200, o->pem);
	fake_http_header(reply, "Content-Type", "application/pem-certificate-chain");
}

/* The order whose leaf is the certificate sent, byte by byte. */
static struct fake_order *
order_of_leaf(struct fake_ca *ca, const char *sent)
{
	for (size_t i = 0; sent != NULL && i < ca->state->order_count; i++) {
		struct fake_order *o = ca->state->orders[i];
		struct chain *chain =
		    o->pem != NULL ? chain_parse(o->pem, strlen(o->pem), NULL) : NULL;
		size_t len;
		uint8_t *der;
		char *text;
		bool same;

		if (chain == NULL)
			continue;
		der = chain_leaf_der(chain, &len);
		text = b64url_encode(der, len);
		same = strcmp(text, sent) == 0;
		free(text);
		free(der);
		chain_free(chain);
		if (same)
			return o;
	}
	return NULL;
}

void
fake_revoke(struct fake_ca *ca, const struct fake_signed *s, struct fake_http_reply *reply)
{
	struct fake_order *o = order_of_leaf(ca, json_string(s->body, "certificate"));

	if (o == NULL) {
		fake_ca_problem(reply, 404, "malformed", "no such certificate");
		return;
	}
	if (o->revoked) {
		fake_ca_problem(reply, 400, "alreadyRevoked", "it is revoked");
		return;
	}
	o->revoked = true;
	ca->revoked++;
	fake_http_status(reply, 200, NULL);
}

void
fake_orders_forget(struct fake_ca *ca)
{
	struct fake_ca_state *st = ca->state;

	for (size_t i = 0; i < st->authz_count; i++) {
		timer_free(st->authzs[i]->timer);
		free(st->authzs[i]);
	}
	for (size_t i = 0; i < st->order_count; i++) {
		free(st->orders[i]->key);
		free(st->orders[i]->pem);
		free(st->orders[i]);
	}
	free(st->authzs);
	free(st->orders);
	st->authzs = NULL;
	st->orders = NULL;
	st->authz_count = st->order_count = 0;
}
