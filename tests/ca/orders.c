/* SPDX-License-Identifier: GPL-3.0-or-later */
/* newOrder and orders (RFC 8555 7.4; RFC 8738; RFC 9773 5 for replaces). */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ca.h"
#include "certs.h"
#include "handlers.h"
#include "order.h"
#include "profile.h"

enum { LABEL_MAX = 63, NAME_LENGTH = 253 };

static bool
is_label(const char *p, size_t n)
{
	if (n == 0 || n > LABEL_MAX || p[0] == '-' || p[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!islower((unsigned char)p[i]) && !isdigit((unsigned char)p[i]) && p[i] != '-')
			return false;
	return true;
}

/* Lower case labels, two at least; the first may be "*". */
static bool
is_name(const char *s)
{
	size_t labels = 0;

	if (strlen(s) > NAME_LENGTH)
		return false;
	if (strncmp(s, "*.", 2) == 0)
		s += 2;
	for (;; s++) {
		size_t n = strcspn(s, ".");

		if (!is_label(s, n))
			return false;
		labels++;
		s += n;
		if (*s == '\0')
			return labels >= 2;
	}
}

/* RFC 8738 3: the form inet_ntop writes. */
static bool
is_address(const char *s)
{
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN];
	int family = strchr(s, ':') != NULL ? AF_INET6 : AF_INET;

	return inet_pton(family, s, bytes) == 1 &&
	    inet_ntop(family, bytes, text, sizeof(text)) != NULL && strcmp(s, text) == 0;
}

static bool
read_identifier(struct call *c, const json_t *object, struct identifier *ret)
{
	const char *type = json_string_value(json_object_get(object, "type"));
	const char *value = json_string_value(json_object_get(object, "value"));

	if (type == NULL || value == NULL)
		return answer_problem(
		    c->answer, 400, "malformed", "an identifier has type and value");
	if (strcmp(type, "dns") != 0 && strcmp(type, "ip") != 0)
		return answer_problem(
		    c->answer, 400, "unsupportedIdentifier", "type %s is not known", type);
	ret->kind = *type == 'i' ? IDENTIFIER_IP : IDENTIFIER_DNS;
	if (ret->kind == IDENTIFIER_IP ? !is_address(value) : !is_name(value))
		return answer_problem(
		    c->answer, 400, "rejectedIdentifier", "%s is no %s identifier", value, type);
	ret->value = xstrdup(value);
	return true;
}

static bool
is_repeated(const struct order_wish *w)
{
	const struct identifier *last = &w->identifiers[w->count - 1];

	for (size_t i = 0; i + 1 < w->count; i++)
		if (strcmp(w->identifiers[i].value, last->value) == 0)
			return true;
	return false;
}

static bool
read_identifiers(struct call *c, struct order_wish *w)
{
	const json_t *list = json_object_get(c->payload, "identifiers");
	size_t n = json_array_size(list);

	if (n == 0 || n > STATE_IDENTIFIERS_MAX)
		return answer_problem(c->answer, 400, "malformed",
		    "an order has 1 to %d identifiers", STATE_IDENTIFIERS_MAX);
	w->identifiers = xcalloc(n, sizeof(*w->identifiers));
	for (size_t i = 0; i < n; i++) {
		if (!read_identifier(c, json_array_get(list, i), &w->identifiers[i]))
			return false;
		w->count++;
		if (is_repeated(w))
			return answer_problem(c->answer, 400, "malformed", "%s is there twice",
			    w->identifiers[i].value);
	}
	return true;
}

static bool
read_options(struct call *c, struct order_wish *w)
{
	const struct cert *old;
	long seconds;

	w->profile = json_string_value(json_object_get(c->payload, "profile"));
	w->replaces = json_string_value(json_object_get(c->payload, "replaces"));
	if (json_object_get(c->payload, "notBefore") != NULL ||
	    json_object_get(c->payload, "notAfter") != NULL)
		return answer_problem(
		    c->answer, 400, "malformed", "notBefore and notAfter are not supported");
	if (!profile_validity(c->ca->options, w->profile, &seconds))
		return answer_problem(
		    c->answer, 400, "invalidProfile", "there is no profile %s", w->profile);
	if (w->replaces == NULL)
		return true;
	old = cert_by_id(c->ca, w->replaces);
	if (old == NULL || old->order->account != c->account)
		return answer_problem(c->answer, 400, "malformed",
		    "replaces does not name a certificate of this account");
	return !old->replaced ||
	    answer_problem(c->answer, 409, "alreadyReplaced", "%s was replaced", w->replaces);
}

static void
wish_done(struct order_wish *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->identifiers[i].value);
	free(w->identifiers);
}

void
handle_new_order(struct call *c)
{
	struct order_wish w = {0};
	struct order *o = NULL;

	if (!read_identifiers(c, &w) || !read_options(c, &w)) {
		wish_done(&w);
		return;
	}
	if (call_fault(c, FAULT_REUSE_ORDER) != NULL)
		o = order_open(c, &w);
	if (o != NULL)
		wish_done(&w);
	else
		o = order_new(c, &w);
	order_answer(c, 201, o);
}

void
handle_order(struct call *c)
{
	struct order *o = table_get(&c->ca->state.orders, c->number);

	if (o == NULL) {
		handle_unknown(c);
		return;
	}
	if (o->account != c->account) {
		answer_problem(c->answer, 403, "unauthorized", "this is another's order");
		return;
	}
	order_refresh(c->ca, o, true);
	order_answer(c, 200, o);
}
