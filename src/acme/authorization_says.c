/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the CA says of an authorization (RFC 8555 7.1.4), read with tolerance and put into words. */
#include <string.h>

#include "acme/authorization_private.h"
#include "acme/ca_private.h"
#include "acme/request.h"
#include "acme/solver.h"
#include "base/alloc.h"
#include "base/err_slot.h"
#include "codec/text.h"

void
authorization_validation_err(
    const struct authorization *a, const struct acme_challenge_object *c, struct err *e)
{
	if (c != NULL && c->error != NULL)
		problem_err(c->error, PLACE_VALIDATION, NULL, e);
	else
		err_set(e, ERR_VALIDATION, "%s gave no reason", a->ca->host);
	err_prefix(e, "Validation failed for %s", a->name);
}

const char *
authorization_name(const struct authorization *a)
{
	return a->name == NULL ? "" : a->name;
}

/* It is built when it is needed: the room for the longest of names would wait with the order. */
void
authorization_identifier(const struct authorization *a, struct identifier *ret)
{
	const char *name = strncmp(a->name, "*.", 2) == 0 ? a->name + 2 : a->name;
	struct ip_addr ip;

	if (a->kind == IDENTIFIER_IP && ip_addr_parse(name, strlen(name), &ip)) {
		identifier_ip(&ip, ret);
		return;
	}
	*ret = (struct identifier){.kind = a->kind};
	text_copy(ret->value, sizeof(ret->value), name);
}

const struct acme_challenge_object *
authorization_challenge(const struct authorization *a, const struct acme_authorization_object *seen)
{
	for (size_t i = 0; i < seen->challenge_count; i++)
		if (strcmp(seen->challenges[i].type, a->conf.solver->type) == 0)
			return &seen->challenges[i];
	return NULL;
}

/* Any challenge with an error explains why the whole is invalid; ours best. */
void
authorization_invalid_err(
    const struct authorization *a, const struct acme_authorization_object *seen, struct err *e)
{
	const struct acme_challenge_object *c = authorization_challenge(a, seen);

	for (size_t i = 0; i < seen->challenge_count && (c == NULL || c->error == NULL); i++)
		if (seen->challenges[i].error != NULL)
			c = &seen->challenges[i];
	if (seen->status == ACME_STATUS_INVALID)
		authorization_validation_err(a, c, e);
	else
		err_set(e, ERR_UPSTREAM, "%s says the authorization of %s is %s", a->ca->host,
		    a->name, acme_status_name(seen->status));
}

void
authorization_trouble(struct authorization *a, const struct acme_challenge_object *c)
{
	bool before = a->trouble != NULL;
	bool now = c != NULL && c->error != NULL;
	struct err e;

	if (now)
		authorization_validation_err(a, c, &e);
	err_slot_set(&a->trouble, now ? &e : NULL);
	if (a->conf.trouble != NULL && (now || before))
		a->conf.trouble(a->arg, a->trouble);
}

bool
authorization_read(struct authorization *a, const struct request_answer *answer,
    struct acme_authorization_object *ret, struct err *e)
{
	if (!acme_authorization_parse(answer->body, answer->body_len, a->ca->uri.https, ret, e))
		return err_prefix(e, "authorization: %s", a->ca->host);
	/* The first answer counts: what is withdrawn has to be what was presented. */
	if (a->name != NULL)
		return true;
	a->kind = ret->identifier.kind;
	a->name = xasprintf("%s%s", ret->wildcard ? "*." : "", ret->identifier.value);
	return true;
}

bool
authorization_asked_for(const struct authorization *a, struct err *e)
{
	const struct identifiers *asked = a->conf.asked;
	struct identifier id;

	authorization_identifier(a, &id);
	for (size_t i = 0; i < asked->count; i++)
		if (asked->items[i].kind == id.kind &&
		    strcmp(identifier_base(&asked->items[i]), id.value) == 0)
			return true;
	return err_set(e, ERR_UPSTREAM, "%s wants %s authorized, which is not in the order",
	    a->ca->host, a->name);
}

void
authorization_no_challenge_err(
    const struct authorization *a, const struct acme_authorization_object *seen, struct err *e)
{
	char offered[200] = "";
	size_t n = 0;

	for (size_t i = 0; i < seen->challenge_count; i++) {
		const char *type = seen->challenges[i].type;

		if (n + strlen(type) + 3 > sizeof(offered))
			break;
		n = (size_t)(stpcpy(stpcpy(offered + n, n > 0 ? ", " : ""), type) - offered);
	}
	err_set(e, ERR_FORBIDDEN, "%s offers no %s challenge for %s; it offers: %s", a->ca->host,
	    a->conf.solver->type, a->name, n > 0 ? offered : "none");
}
