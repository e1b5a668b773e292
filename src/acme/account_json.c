/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/account_json.h"

#include <stdlib.h>
#include <string.h>

#include "acme/ca_private.h"
#include "codec/jws.h"

static char *
text_of(struct json *object)
{
	char *text = json_text(object, 0);

	json_free(object);
	return text;
}

char *
account_lookup_payload(void)
{
	struct json *object = json_new_object();

	json_set_bool(object, "onlyReturnExisting", true);
	return text_of(object);
}

char *
account_contacts_payload(char *const *contacts, size_t count)
{
	struct json *object = json_new_object();

	json_set(object, "contact", account_contacts(contacts, count));
	return text_of(object);
}

char *
account_agree_payload(void)
{
	struct json *object = json_new_object();

	json_set_bool(object, "termsOfServiceAgreed", true);
	return text_of(object);
}

char *
account_deactivate_payload(void)
{
	struct json *object = json_new_object();

	json_set_string(object, "status", "deactivated");
	return text_of(object);
}

char *
account_key_change_payload(const struct key *old_key, const struct key *new_key,
    const char *account_url, const char *key_change_url, struct err *e)
{
	struct json *object = json_new_object();
	char *payload;
	char *inner;

	json_set_string(object, "account", account_url);
	json_set(object, "oldKey", json_copy(key_jwk(old_key)));
	payload = text_of(object);
	inner = jws_sign(new_key, NULL, NULL, key_change_url, payload, e);
	free(payload);
	return inner;
}

/* ---- contacts ---- */

struct json *
account_contacts(char *const *contacts, size_t count)
{
	struct json *array = json_new_array();

	for (size_t i = 0; i < count; i++)
		json_add_string(array, contacts[i]);
	return array;
}

static bool
array_has(const struct json *array, const char *text)
{
	for (size_t i = 0; i < json_array_count(array); i++) {
		const char *item = json_array_string(array, i);

		if (item != NULL && strcmp(item, text) == 0)
			return true;
	}
	return false;
}

bool
account_contacts_equal(const struct ca_conf *conf, const struct json *array)
{
	if (json_array_count(array) != conf->contact_count)
		return false;
	for (size_t i = 0; i < conf->contact_count; i++)
		if (!array_has(array, conf->contacts[i]))
			return false;
	return true;
}

/* ---- newAccount ---- */

static bool
terms_accepted(const struct ca_terms *terms, const char *url)
{
	if (terms->accept)
		return true;
	for (size_t i = 0; i < terms->url_count; i++)
		if (strcmp(terms->urls[i], url) == 0)
			return true;
	return false;
}

static bool
add_terms(struct json *object, const struct ca *ca, struct err *e)
{
	const char *url = ca->directory.object.terms_of_service;

	if (url == NULL)
		return true;
	if (!terms_accepted(&ca->conf.terms, url)) {
		err_set(e, ERR_ACCOUNT,
		    "%s wants its terms of service accepted: read %s and set "
		    "accept-terms-of-service = %s",
		    ca->host, url, url);
		e->problem = PROBLEM_USER_ACTION_REQUIRED;
		return false;
	}
	json_set_bool(object, "termsOfServiceAgreed", true);
	return true;
}

static bool
add_binding(struct json *object, const struct ca *ca, struct err *e)
{
	const struct acme_directory *directory = &ca->directory.object;
	struct json *binding;

	if (ca->conf.eab_kid == NULL) {
		if (!directory->external_account_required)
			return true;
		return err_set(e, ERR_ACCOUNT,
		    "%s wants an external account binding: set eab-kid and eab-hmac-key to what it "
		    "gave you",
		    ca->host);
	}
	binding = jws_external_binding(ca->key, ca->conf.eab_kid, ca->conf.eab_key,
	    ca->conf.eab_key_len, directory->new_account, e);
	if (binding == NULL)
		return false;
	json_set(object, "externalAccountBinding", binding);
	return true;
}

char *
account_register_payload(const struct ca *ca, struct err *e)
{
	struct json *object = json_new_object();

	if (!add_terms(object, ca, e) || !add_binding(object, ca, e)) {
		json_free(object);
		return NULL;
	}
	if (ca->conf.contact_count > 0)
		json_set(
		    object, "contact", account_contacts(ca->conf.contacts, ca->conf.contact_count));
	return text_of(object);
}
