/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What newAccount answered (RFC 8555 7.3, 7.3.1), and what of it is kept on disk. */
#include <stdlib.h>
#include <string.h>

#include "acme/account_json.h"
#include "acme/account_private.h"
#include "acme/ca_private.h"
#include "acme/request.h"
#include "base/alloc.h"
#include "codec/acme_json.h"

const char account_gone[] = "a deactivated account is gone for good: "
			    "acme-register --gen-key --force --register makes another one";

/* The Location is the account; a CA that gives none means the one we know. */
static bool
find_url(struct account *a, const struct request_answer *answer, char **ret, struct err *e)
{
	struct uri uri;
	const char *url = answer->location != NULL ? answer->location : a->registration.uri;

	if (url == NULL)
		return err_set(e, ERR_UPSTREAM, "account: %s gave no URL for it", a->ca->host);
	if (!uri_parse(url, strlen(url), &uri, e)) {
		e->kind = ERR_UPSTREAM;
		return err_prefix(e, "account: %s gave an unusable URL", a->ca->host);
	}
	*ret = xstrdup(url);
	return true;
}

static bool
check_status(const struct account *a, enum acme_status status, struct err *e)
{
	if (status != ACME_STATUS_DEACTIVATED && status != ACME_STATUS_REVOKED)
		return true;
	return err_set(e, ERR_ACCOUNT, "account: %s says it is %s; %s", a->ca->host,
	    acme_status_name(status), account_gone);
}

/* What the CA says of contacts counts; one that says nothing (Let's Encrypt keeps none) has those
 * we last sent. */
static bool
contacts_right(const struct account *a, const struct json *theirs)
{
	const struct ca_conf *conf = &a->ca->conf;

	if (conf->contact_count == 0 || conf->contacts_as_is)
		return true;
	if (json_array_count(theirs) == 0)
		theirs = registration_contacts(&a->registration);
	return account_contacts_equal(conf, theirs);
}

static void
write_out(struct account *a)
{
	struct err e;

	if (!account_write(a, &e))
		ca_event(a->ca, CA_EVENT_TROUBLE, NULL, &e);
}

static void
save(struct account *a, const char *url, const struct json *contacts)
{
	if (registration_record(&a->registration, url, key_jwk(a->ca->key), contacts))
		write_out(a);
}

void
account_save_key(struct account *a)
{
	save(a, a->registration.uri, NULL);
}

void
account_save_status(struct account *a, const char *status)
{
	if (registration_record_status(&a->registration, status))
		write_out(a);
}

void
account_save_contacts(struct account *a, char *const *contacts, size_t count)
{
	struct json *array = account_contacts(contacts, count);

	save(a, a->registration.uri, array);
	json_free(array);
}

/* Before the URL on file is replaced. */
static void
tell(struct account *a, const char *url, bool registered)
{
	const char *old = a->registration.uri;
	bool moved = old != NULL && strcmp(old, url) != 0;
	char *both;

	if (registered) {
		ca_event(a->ca, CA_EVENT_REGISTERED, url, NULL);
	} else if (moved) {
		both = xasprintf("%s, before: %s", url, old);
		ca_event(a->ca, CA_EVENT_MOVED, both, NULL);
		free(both);
	} else if (a->generation == 0) {
		ca_event(a->ca, CA_EVENT_FOUND, url, NULL);
	}
	if (registered || moved || a->generation == 0)
		a->generation++;
}

/* A CA that does not echo the contacts of a registration has got them all the same. */
static void
keep(struct account *a, const char *url, const struct json *contacts, bool registered)
{
	struct json *ours = account_contacts(a->ca->conf.contacts, a->ca->conf.contact_count);
	const struct json *silent = registered ? ours : NULL;

	tell(a, url, registered);
	save(a, url, json_array_count(contacts) > 0 ? contacts : silent);
	json_free(ours);
}

bool
account_found(struct account *a, const struct request_answer *answer, bool registered,
    bool *ret_update, struct err *e)
{
	struct acme_account_object object = {0};
	const struct json *contacts;
	char *url = NULL;
	bool ok;

	/* A body that is empty or nonsense takes nothing from what the Location says. */
	bool parsed = acme_account_parse(answer->body, answer->body_len, &object, NULL);
	ok = check_status(a, object.status, e) && find_url(a, answer, &url, e);
	if (ok) {
		contacts = parsed ? json_member(object.body, "contact") : NULL;
		*ret_update = !registered && !contacts_right(a, contacts);
		keep(a, url, contacts, registered);
	}
	free(url);
	if (parsed)
		acme_account_object_done(&object);
	return ok;
}
