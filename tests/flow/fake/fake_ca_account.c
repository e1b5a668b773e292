/* SPDX-License-Identifier: GPL-3.0-or-later */
/* newAccount and accounts of the fake CA. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "fake_ca_state.h"

static void
account_reply(struct fake_ca *ca, const struct fake_account *account, int status,
    struct fake_http_reply *reply)
{
	struct json *body = json_new_object();

	json_set_string(body, "status", ca->deactivated ? "deactivated" : "valid");
	if (account->contact != NULL)
		json_set(body, "contact", json_copy(account->contact));
	fake_json_reply(reply, status, body);
	if (ca->account_without_body)
		fake_http_status(reply, status, NULL);
	fake_http_header(reply, "Location", "%s/account/%u", ca->base, account->id);
}

static void
set_contact(struct fake_account *account, const struct json *body)
{
	const struct json *contact = json_member(body, "contact");

	if (contact == NULL)
		return;
	json_free(account->contact);
	account->contact = json_copy(contact);
}

static void
register_account(
    struct fake_ca *ca, const struct fake_signed *s, char *jwk, struct fake_http_reply *reply)
{
	struct fake_ca_state *st = ca->state;
	struct fake_account *account;

	if (ca->terms != NULL && !json_bool(s->body, "termsOfServiceAgreed", false)) {
		fake_ca_problem(reply, 403, "userActionRequired", "agree to the terms");
		free(jwk);
		return;
	}
	if (ca->binding && json_member(s->body, "externalAccountBinding") == NULL) {
		fake_ca_problem(reply, 403, "externalAccountRequired", "no binding");
		free(jwk);
		return;
	}
	assert(st->account_count < FAKE_ACCOUNTS);
	account = &st->accounts[st->account_count++];
	*account = (struct fake_account){.jwk = jwk, .id = st->next_id++};
	set_contact(account, s->body);
	ca->registrations++;
	account_reply(ca, account, 201, reply);
}

void
fake_new_account(struct fake_ca *ca, const struct fake_signed *s, struct fake_http_reply *reply)
{
	const struct json *member = json_member(s->protected, "jwk");
	char *jwk = member != NULL ? json_text(member, 0) : xstrdup("");
	bool lookup = json_bool(s->body, "onlyReturnExisting", false);

	ca->lookups += lookup;
	for (size_t i = 0; i < ca->state->account_count; i++) {
		if (strcmp(ca->state->accounts[i].jwk, jwk) == 0) {
			account_reply(ca, &ca->state->accounts[i], 200, reply);
			free(jwk);
			return;
		}
	}
	if (lookup) {
		fake_ca_problem(reply, 400, "accountDoesNotExist", "no account with this key");
		free(jwk);
	} else {
		register_account(ca, s, jwk, reply);
	}
}

void
fake_account(struct fake_ca *ca, const struct fake_signed *s, struct fake_http_reply *reply)
{
	struct fake_account *account = &ca->state->accounts[0];
	const char *status = json_string(s->body, "status");

	set_contact(account, s->body);
	if (status != NULL && strcmp(status, "deactivated") == 0)
		ca->deactivated = true;
	account_reply(ca, account, 200, reply);
}

/* ---- keyChange ---- */

static bool
inner_good(struct fake_ca *ca, const struct fake_signed *s, const struct json *header,
    const struct json *payload, const struct fake_account *account)
{
	const struct json *old = json_member(payload, "oldKey");
	const char *url = json_string(header, "url"), *outer = json_string(s->protected, "url");
	const char *kid = json_string(s->protected, "kid");
	const char *of = json_string(payload, "account");
	char *text = old != NULL ? json_text(old, 0) : xstrdup("");
	bool good = json_member(header, "jwk") != NULL && json_member(header, "kid") == NULL &&
	    json_member(header, "nonce") == NULL && url != NULL && strcmp(url, outer) == 0 &&
	    of != NULL && strcmp(of, kid) == 0;

	if (!good)
		fake_violation(ca, "the inner JWS of keyChange is not as it has to be");
	good = good && strcmp(text, account->jwk) == 0;
	free(text);
	return good;
}

void
fake_key_change(struct fake_ca *ca, const struct fake_signed *s, struct fake_http_reply *reply)
{
	struct fake_account *account = &ca->state->accounts[0];
	char *protected = fake_decoded(s->body, "protected");
	char *text = fake_decoded(s->body, "payload");
	struct json *header =
	    protected != NULL ? json_parse(protected, strlen(protected), NULL) : NULL;
	struct json *payload = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;

	if (inner_good(ca, s, header, payload, account)) {
		free(account->jwk);
		account->jwk = json_text(json_member(header, "jwk"), 0);
		ca->key_changes++;
		account_reply(ca, account, 200, reply);
	} else {
		fake_ca_problem(reply, 400, "malformed", "oldKey is not the account's");
	}
	free(protected);
	free(text);
	json_free(header);
	json_free(payload);
}
