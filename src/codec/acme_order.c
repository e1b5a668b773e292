/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders and accounts: RFC 8555 7.1.3 and 7.1.2. Part of codec/acme_json.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/acme_json.h"
#include "codec/acme_object.h"
#include "codec/json.h"

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
		o->authorizations[i] =
		    acme_object_url_copy(url, "authorizations", https_required, e);
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
	o->status = acme_object_status(root);
	o->expires = acme_object_expires(root);
	/* Where it is of no more use, some leave it out. */
	open = o->status == ACME_STATUS_PENDING || o->status == ACME_STATUS_READY;
	if (!acme_object_url(root, "finalize", https_required, open, &o->finalize, e) ||
	    !acme_object_url(root, "certificate", https_required, false, &o->certificate, e) ||
	    !parse_authorizations(json_member(root, "authorizations"), https_required, o, e))
		return false;
	o->error = problem_new(json_member(root, "error"));
	return true;
}

bool
acme_order_parse(
    const char *body, size_t len, bool https_required, struct acme_order_object *ret, struct err *e)
{
	struct acme_order_object o = {0};
	struct json *root = acme_object_parse(body, len, "order", e);
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
	problem_free(o->error);
	*o = (struct acme_order_object){0};
}

bool
acme_account_parse(const char *body, size_t len, struct acme_account_object *ret, struct err *e)
{
	struct json *root = acme_object_parse(body, len, "account", e);
	const char *orders = json_string(root, "orders");

	if (root == NULL)
		return false;
	*ret = (struct acme_account_object){
	    .status = acme_object_status(root),
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
