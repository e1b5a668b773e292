/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/acme_json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/acme_url.h"
#include "codec/date.h"
#include "codec/json.h"
#include "codec/text.h"

enum { CHALLENGES_MAX = 32 };

static const char *const status_names[] = {
    [ACME_STATUS_UNKNOWN] = "unknown",
    [ACME_STATUS_PENDING] = "pending",
    [ACME_STATUS_READY] = "ready",
    [ACME_STATUS_PROCESSING] = "processing",
    [ACME_STATUS_VALID] = "valid",
    [ACME_STATUS_INVALID] = "invalid",
    [ACME_STATUS_DEACTIVATED] = "deactivated",
    [ACME_STATUS_EXPIRED] = "expired",
    [ACME_STATUS_REVOKED] = "revoked",
};
enum { STATUS_COUNT = sizeof(status_names) / sizeof(status_names[0]) };
static_assert(STATUS_COUNT == ACME_STATUS_REVOKED + 1, "a name for every status");

const char *
acme_status_name(enum acme_status status)
{
	return status_names[status <= ACME_STATUS_REVOKED ? status : ACME_STATUS_UNKNOWN];
}

static enum acme_status
status_of(const struct json *object)
{
	const char *name = json_string(object, "status");

	for (int i = ACME_STATUS_UNKNOWN + 1; name != NULL && i < STATUS_COUNT; i++)
		if (strcmp(name, status_names[i]) == 0)
			return (enum acme_status)i;
	return ACME_STATUS_UNKNOWN;
}

/* A date that cannot be read is as good as none: it only shortens what we wait. */
static int64_t
expires_of(const struct json *object)
{
	const char *text = json_string(object, "expires");
	int64_t when;

	if (text == NULL || !date_parse_rfc3339(text, strlen(text), &when) || when < 0)
		return 0;
	return when;
}

static bool
parse_authorizations(
    const struct json *array, bool https_required, struct acme_order_object *o, struct err *e)
{
	size_t count = json_array_count(array);
	const char *url;

	if (count > IDENTIFIERS_MAX)
		return err_set(
		    e, ERR_UPSTREAM, "%zu authorizations are more than %d", count, IDENTIFIERS_MAX);
	o->authorizations = xcalloc(count, sizeof(*o->authorizations));
	for (size_t i = 0; i < count; i++) {
		url = json_array_string(array, i);
		if (url == NULL)
			return err_set(e, ERR_UPSTREAM, "an authorization is not a string");
		o->authorizations[i] = acme_url_copy(url, "authorizations", https_required, e);
		if (o->authorizations[i] == NULL)
			return false;
		o->authorization_count++;
	}
	return true;
}

static bool
order_from_json(
    const struct json *root, bool https_required, struct acme_order_object *o, struct err *e)
{
	bool open;

	if (json_string(root, "status") == NULL)
		return err_set(e, ERR_UPSTREAM, "member status is missing");
	o->status = status_of(root);
	o->expires = expires_of(root);
	/* Where it is of no more use, some leave it out. */
	open = o->status == ACME_STATUS_PENDING || o->status == ACME_STATUS_READY;
	if (!acme_url(root, "finalize", https_required, open, &o->finalize, e) ||
	    !acme_url(root, "certificate", https_required, false, &o->certificate, e) ||
	    !parse_authorizations(json_member(root, "authorizations"), https_required, o, e))
		return false;
	o->has_error = problem_from_json(json_member(root, "error"), &o->error);
	return true;
}

bool
acme_order_parse(
    const char *body, size_t len, bool https_required, struct acme_order_object *ret, struct err *e)
{
	struct acme_order_object o = {0};
	struct json *root = acme_object(body, len, "order", e);
	bool good = root != NULL &&
	    (order_from_json(root, https_required, &o, e) || err_prefix(e, "the order"));

	if (good)
		*ret = o;
	else
		acme_order_object_done(&o);
	json_free(root);
	return good;
}

void
acme_order_object_done(struct acme_order_object *o)
{
	free(o->finalize);
	free(o->certificate);
	for (size_t i = 0; i < o->authorization_count; i++)
		free(o->authorizations[i]);
	free(o->authorizations);
	problem_done(&o->error);
	*o = (struct acme_order_object){0};
}

/* A token goes into paths, file names and DNS records, so only what RFC 8555 8.1 allows. */
static bool
copy_token(const char *token, char out[ACME_TOKEN_MAX + 1])
{
	if (token == NULL || *token == '\0' || strlen(token) > ACME_TOKEN_MAX)
		return false;
	for (const char *p = token; *p != '\0'; p++)
		if (!text_is_alnum(*p) && *p != '-' && *p != '_')
			return false;
	strcpy(out, token);
	return true;
}

static bool
copy_type(const char *type, char *out, size_t size)
{
	if (type == NULL || *type == '\0' || strlen(type) >= size)
		return false;
	strcpy(out, type);
	return true;
}

/* False only for a URL we must not follow; *ret_usable: it has all that answering it takes. */
static bool
challenge_from_json(const struct json *object, bool https_required, struct acme_challenge_object *c,
    bool *ret_usable, struct err *e)
{
	bool named = copy_type(json_string(object, "type"), c->type, sizeof(c->type));
	bool token = copy_token(json_string(object, "token"), c->token);

	*ret_usable = false;
	c->status = status_of(object);
	if (!acme_url(object, "url", https_required, false, &c->url, e))
		return false;
	c->has_error = problem_from_json(json_member(object, "error"), &c->error);
	*ret_usable = named && token && c->url != NULL;
	return true;
}

bool
acme_challenge_parse(const char *body, size_t len, bool https_required,
    struct acme_challenge_object *ret, struct err *e)
{
	struct acme_challenge_object c = {0};
	struct json *root = acme_object(body, len, "challenge", e);
	bool usable;
	bool good = root != NULL &&
	    (challenge_from_json(root, https_required, &c, &usable, e) ||
		err_prefix(e, "the challenge"));

	if (good)
		*ret = c;
	else
		acme_challenge_object_done(&c);
	json_free(root);
	return good;
}

void
acme_challenge_object_done(struct acme_challenge_object *c)
{
	free(c->url);
	problem_done(&c->error);
	*c = (struct acme_challenge_object){0};
}

/* The kinds of tomorrow may lack a token or a URL; those are passed over. */
static bool
parse_challenges(const struct json *array, bool https_required, struct acme_authorization_object *a,
    struct err *e)
{
	size_t count = json_array_count(array);
	struct acme_challenge_object *c;
	bool usable;

	if (count > CHALLENGES_MAX)
		count = CHALLENGES_MAX;
	a->challenges = xcalloc(count, sizeof(*a->challenges));
	for (size_t i = 0; i < count; i++) {
		const struct json *object = json_array_at(array, i);

		if (json_string(object, "token") == NULL)
			continue;
		c = &a->challenges[a->challenge_count];
		if (!challenge_from_json(object, https_required, c, &usable, e)) {
			acme_challenge_object_done(c);
			return err_prefix(e, "a challenge");
		}
		if (usable)
			a->challenge_count++;
		else
			acme_challenge_object_done(c);
	}
	return true;
}

/* RFC 8555 7.1.4: never with "*."; a CA that sends it all the same means a wildcard. */
static bool
parse_identifier(const struct json *object, struct acme_authorization_object *a, struct err *e)
{
	const char *type = json_string(object, "type"), *value = json_string(object, "value");
	char quoted[TEXT_QUOTE_MAX];
	struct ip_addr ip;

	if (type == NULL || value == NULL)
		return err_set(e, ERR_UPSTREAM, "its identifier lacks type or value");
	if (strcmp(type, "ip") == 0 && ip_addr_parse(value, strlen(value), &ip)) {
		identifier_ip(&ip, &a->identifier);
		return true;
	}
	if (strcmp(type, "dns") == 0 && strncmp(value, "*.", 2) == 0) {
		a->wildcard = true;
		value += 2;
	}
	if (strcmp(type, "dns") == 0 && identifier_dns(value, strlen(value), &a->identifier, NULL))
		return true;
	return err_set(e, ERR_UPSTREAM,
	    "its identifier \"%s\" is neither a DNS name nor an IP address",
	    text_quote(value, strlen(value), quoted));
}

static bool
authorization_from_json(const struct json *root, bool https_required,
    struct acme_authorization_object *a, struct err *e)
{
	if (json_string(root, "status") == NULL)
		return err_set(e, ERR_UPSTREAM, "member status is missing");
	a->status = status_of(root);
	a->expires = expires_of(root);
	a->wildcard = json_bool(root, "wildcard", false);
	return parse_identifier(json_member(root, "identifier"), a, e) &&
	    parse_challenges(json_member(root, "challenges"), https_required, a, e);
}

bool
acme_authorization_parse(const char *body, size_t len, bool https_required,
    struct acme_authorization_object *ret, struct err *e)
{
	struct acme_authorization_object a = {0};
	struct json *root = acme_object(body, len, "authorization", e);
	bool good = root != NULL &&
	    (authorization_from_json(root, https_required, &a, e) ||
		err_prefix(e, "the authorization"));

	if (good)
		*ret = a;
	else
		acme_authorization_object_done(&a);
	json_free(root);
	return good;
}

void
acme_authorization_object_done(struct acme_authorization_object *a)
{
	for (size_t i = 0; i < a->challenge_count; i++)
		acme_challenge_object_done(&a->challenges[i]);
	free(a->challenges);
	*a = (struct acme_authorization_object){0};
}

bool
acme_account_parse(const char *body, size_t len, struct acme_account_object *ret, struct err *e)
{
	struct json *root = acme_object(body, len, "account", e);
	const char *orders = json_string(root, "orders");

	if (root == NULL)
		return false;
	*ret = (struct acme_account_object){
	    .status = status_of(root),
	    .orders = orders != NULL ? xstrdup(orders) : NULL,
	    .body = root,
	};
	return true;
}

void
acme_account_object_done(struct acme_account_object *a)
{
	free(a->orders);
	json_free(a->body);
	*a = (struct acme_account_object){0};
}
