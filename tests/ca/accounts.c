/* SPDX-License-Identifier: GPL-3.0-or-later */
/* newAccount, accounts and their lists of orders (RFC 8555 7.3, 7.1.2.1). */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "ca.h"
#include "eab.h"
#include "handlers.h"
#include "jwk.h"
#include "options.h"

enum { CONTACTS_MAX = 10 };

static json_t *
account_json(const struct ca *ca, const struct account *a)
{
	json_t *object = json_object();

	json_object_set_new(object, "status", json_string(status_name(a->status)));
	if (a->contact != NULL)
		json_object_set(object, "contact", a->contact);
	if (a->agreed)
		json_object_set_new(object, "termsOfServiceAgreed", json_true());
	if (a->binding != NULL)
		json_object_set(object, "externalAccountBinding", a->binding);
	json_object_set_new(
	    object, "orders", json_sprintf("%s/orders/%llu", ca->url, (unsigned long long)a->id));
	return object;
}

static void
account_answer(struct call *c, int status, const struct account *a)
{
	answer_json(c->answer, status, account_json(c->ca, a));
	answer_header(
	    c->answer, "Location", "%s/account/%llu", c->ca->url, (unsigned long long)a->id);
}

/* RFC 8555 7.3: mailto, one address, no hfields. */
static bool
check_contacts(struct call *c, const json_t *list)
{
	if (list == NULL)
		return true;
	if (!json_is_array(list) || json_array_size(list) > CONTACTS_MAX)
		return answer_problem(c->answer, 400, "malformed", "contact is no short list");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (s == NULL || strncmp(s, "mailto:", 7) != 0)
			return answer_problem(
			    c->answer, 400, "unsupportedContact", "only mailto: is understood");
		if (strpbrk(s, "?,") != NULL || strchr(s + 7, '@') == NULL)
			return answer_problem(
			    c->answer, 400, "invalidContact", "%s is no single address", s);
	}
	return true;
}

static bool
check_terms(struct call *c)
{
	if (!c->ca->options->terms ||
	    json_is_true(json_object_get(c->payload, "termsOfServiceAgreed")))
		return true;
	answer_problem(c->answer, 403, "userActionRequired", "agree to the terms first");
	answer_header(c->answer, "Link", "<%s/terms>;rel=\"terms-of-service\"", c->ca->url);
	return false;
}

static void
make_account(struct call *c)
{
	const json_t *contact = json_object_get(c->payload, "contact");
	struct state *state = &c->ca->state;
	const char *thumbprint = jwk_thumbprint(c->key);
	struct account *a;

	if (!check_contacts(c, contact) || !check_terms(c) || !eab_check(c))
		return;
	a = xcalloc(1, sizeof(*a));
	a->status = STATUS_VALID;
	a->key = jwk_ref(c->key);
	a->contact = json_incref((json_t *)contact);
	a->binding = json_incref(json_object_get(c->payload, "externalAccountBinding"));
	a->agreed = json_is_true(json_object_get(c->payload, "termsOfServiceAgreed"));
	a->id = table_add(&state->accounts, a);
	map_put(state->by_thumbprint, thumbprint, strlen(thumbprint), a);
	account_answer(c, 201, a);
}

void
handle_new_account(struct call *c)
{
	const char *thumbprint = jwk_thumbprint(c->key);
	struct account *a = map_get(c->ca->state.by_thumbprint, thumbprint, strlen(thumbprint));

	if (a != NULL && a->status != STATUS_VALID)
		answer_problem(c->answer, 401, "unauthorized", "the account is deactivated");
	else if (a != NULL)
		account_answer(c, 200, a);
	else if (json_is_true(json_object_get(c->payload, "onlyReturnExisting")))
		answer_problem(c->answer, 400, "accountDoesNotExist", "no account has this key");
	else
		make_account(c);
}

static bool
is_own(struct call *c)
{
	return c->number == c->account->id ||
	    answer_problem(c->answer, 403, "unauthorized", "this is another's account");
}

void
handle_account(struct call *c)
{
	json_t *contact = json_object_get(c->payload, "contact");
	const char *status = call_text(c, "status");

	if (!is_own(c) || !check_contacts(c, contact))
		return;
	if (*status != '\0' && strcmp(status, "deactivated") != 0) {
		answer_problem(c->answer, 400, "malformed", "status can only become deactivated");
		return;
	}
	if (contact != NULL) {
		json_decref(c->account->contact);
		c->account->contact = json_incref(contact);
	}
	if (*status != '\0')
		c->account->status = STATUS_DEACTIVATED;
	account_answer(c, 200, c->account);
}

void
handle_orders(struct call *c)
{
	const struct table *orders = &c->ca->state.orders;
	json_t *list;

	if (!is_own(c))
		return;
	list = json_array();
	for (size_t i = 0; i < orders->count; i++) {
		const struct order *o = orders->slots[i];

		if (o->account == c->account)
			json_array_append_new(list,
			    json_sprintf("%s/order/%llu", c->ca->url, (unsigned long long)o->id));
	}
	answer_json(c->answer, 200, json_pack("{s:o}", "orders", list));
}
