/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "authz.h"

#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "ca.h"
#include "order.h"

enum { TOKEN_BYTES = 32 };

static bool
is_known(const char *type)
{
	return strcmp(type, "http-01") == 0 || strcmp(type, "dns-01") == 0 ||
	    strcmp(type, "tls-alpn-01") == 0;
}

static void
offer(struct authz *a, const char *type)
{
	if (a->challenge_count < CHALLENGES_MAX)
		a->challenges[a->challenge_count++] =
		    (struct challenge){.type = xstrdup(type), .has_token = is_known(type)};
}

/* RFC 8555 8.4: wildcards by DNS alone; RFC 8738 4 and 7: addresses not by DNS. */
static bool
is_possible(const struct authz *a, const char *type)
{
	bool dns = strcmp(type, "dns-01") == 0;

	if (!is_known(type))
		return true;
	return a->wildcard ? dns : a->identifier.kind == IDENTIFIER_DNS || !dns;
}

static void
offer_all(struct authz *a, const struct fault *told)
{
	static const char *const usual[] = {"dns-01", "http-01", "tls-alpn-01"};
	json_t *list = told != NULL ? json_object_get(told->params, "offer") : NULL;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *type = json_string_value(json_array_get(list, i));

		if (type != NULL && is_possible(a, type))
			offer(a, type);
	}
	for (size_t i = 0; told == NULL && i < sizeof(usual) / sizeof(*usual); i++)
		if (is_possible(a, usual[i]))
			offer(a, usual[i]);
}

static void
make_token(char ret_token[TOKEN_TEXT])
{
	uint8_t bytes[TOKEN_BYTES];
	char *text;

	random_bytes(bytes, sizeof(bytes));
	text = b64_encode(bytes, sizeof(bytes));
	memcpy(ret_token, text, TOKEN_TEXT);
	free(text);
}

struct authz *
authz_new(struct call *c, struct order *o, const struct identifier *i)
{
	struct authz *a = xcalloc(1, sizeof(*a));

	a->order = o;
	a->wildcard = strncmp(i->value, "*.", 2) == 0;
	a->identifier.kind = i->kind;
	a->identifier.value = xstrdup(i->value + (a->wildcard ? 2 : 0));
	make_token(a->token);
	offer_all(a, call_fault(c, FAULT_CHALLENGES));
	if (call_fault(c, FAULT_AUTHZ_VALID) != NULL) {
		a->status = STATUS_VALID;
		if (a->challenge_count > 0) {
			a->challenges[0].status = STATUS_VALID;
			a->challenges[0].validated = clock_wall();
		}
	}
	a->id = table_add(&c->ca->state.authz, a);
	return a;
}

static json_t *
failure(const struct authz *a, const char *type, const char *detail)
{
	json_t *error = answer_problem_json(type, 403, detail);

	json_object_set_new(error, "identifier", identifier_json(&a->identifier));
	return error;
}

void
authz_spoil(struct ca *ca, struct authz *a)
{
	a->status = STATUS_INVALID;
	if (a->challenge_count == 0)
		return;
	a->challenges[0].status = STATUS_INVALID;
	a->challenges[0].error = failure(a, "unauthorized", "this went wrong an hour ago");
}

struct challenge *
authz_challenge(struct authz *a, const char *type)
{
	for (size_t i = 0; i < a->challenge_count; i++)
		if (strcmp(a->challenges[i].type, type) == 0)
			return &a->challenges[i];
	return NULL;
}

json_t *
challenge_json(const struct ca *ca, const struct authz *a, const struct challenge *ch)
{
	json_t *object =
	    json_pack("{s:s, s:s, s:o}", "type", ch->type, "status", status_name(ch->status), "url",
		json_sprintf("%s/challenge/%llu/%s", ca->url, (unsigned long long)a->id, ch->type));

	if (ch->has_token)
		json_object_set_new(object, "token", json_string(a->token));
	if (ch->status == STATUS_VALID)
		json_object_set_new(object, "validated", time_json(ch->validated));
	if (ch->error != NULL)
		json_object_set(object, "error", ch->error);
	return object;
}

/* RFC 8555 7.1.4: of a decided one only what decided it. */
static bool
is_shown(const struct authz *a, const struct challenge *ch)
{
	return a->status == STATUS_PENDING || ch->status == a->status;
}

json_t *
authz_json(const struct ca *ca, const struct authz *a)
{
	json_t *list = json_array(), *object;

	for (size_t i = 0; i < a->challenge_count; i++)
		if (is_shown(a, &a->challenges[i]))
			json_array_append_new(list, challenge_json(ca, a, &a->challenges[i]));
	object = json_pack("{s:o, s:s, s:o, s:o}", "identifier", identifier_json(&a->identifier),
	    "status", status_name(a->status), "expires", time_json(a->order->expires), "challenges",
	    list);
	if (a->wildcard)
		json_object_set_new(object, "wildcard", json_true());
	return object;
}

void
challenge_decide(struct ca *ca, struct authz *a, struct challenge *ch, const char *type,
    const char *detail, bool spare)
{
	ca->counts.validations++;
	if (type == NULL) {
		ch->status = STATUS_VALID;
		ch->validated = clock_wall();
		if (a->status == STATUS_PENDING)
			a->status = STATUS_VALID;
	} else {
		ca->counts.failed_validations++;
		ch->status = STATUS_INVALID;
		ch->error = failure(a, type, detail);
		if (a->status == STATUS_PENDING && !spare)
			a->status = STATUS_INVALID;
	}
	order_refresh(ca, a->order, false);
}
