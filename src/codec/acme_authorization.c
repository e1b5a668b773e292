/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Authorizations and challenges: RFC 8555 7.1.4 and 8. Part of codec/acme_json.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/acme_json.h"
#include "codec/acme_object.h"
#include "codec/json.h"
#include "codec/text.h"

enum { CHALLENGES_MAX = 32 };

/* A token goes into paths, file names and DNS records, so only what RFC 8555 8.1 allows. */
static char *
copy_token(const char *token)
{
	if (token == NULL || *token == '\0' || strlen(token) > ACME_TOKEN_MAX)
		return NULL;
	for (const char *p = token; *p != '\0'; p++)
		if (!text_is_alnum(*p) && *p != '-' && *p != '_')
			return NULL;
	return xstrdup(token);
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

	*ret_usable = false;
	c->token = copy_token(json_string(object, "token"));
	c->status = acme_object_status(object);
	if (!acme_object_url(object, "url", https_required, false, &c->url, e))
		return false;
	c->error = problem_new(json_member(object, "error"));
	*ret_usable = named && c->token != NULL && c->url != NULL;
	return true;
}

bool
acme_challenge_parse(const char *body, size_t len, bool https_required,
    struct acme_challenge_object *ret, struct err *e)
{
	struct acme_challenge_object c = {0};
	struct json *root = acme_object_parse(body, len, "challenge", e);
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
	free(c->token);
	problem_free(c->error);
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
	a->status = acme_object_status(root);
	a->expires = acme_object_expires(root);
	a->wildcard = json_bool(root, "wildcard", false);
	return parse_identifier(json_member(root, "identifier"), a, e) &&
	    parse_challenges(json_member(root, "challenges"), https_required, a, e);
}

bool
acme_authorization_parse(const char *body, size_t len, bool https_required,
    struct acme_authorization_object *ret, struct err *e)
{
	struct acme_authorization_object a = {0};
	struct json *root = acme_object_parse(body, len, "authorization", e);
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
