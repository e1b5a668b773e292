/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/acme_object.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/date.h"
#include "codec/uri.h"

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

enum acme_status
acme_object_status(const struct json *object)
{
	const char *name = json_string(object, "status");

	for (int i = ACME_STATUS_UNKNOWN + 1; name != NULL && i < STATUS_COUNT; i++)
		if (strcmp(name, status_names[i]) == 0)
			return (enum acme_status)i;
	return ACME_STATUS_UNKNOWN;
}

int64_t
acme_object_expires(const struct json *object)
{
	const char *text = json_string(object, "expires");
	int64_t when;

	if (text == NULL || !date_parse_rfc3339(text, strlen(text), &when) || when < 0)
		return 0;
	return when;
}

struct json *
acme_object_parse(const char *body, size_t len, const char *what, struct err *e)
{
	struct json *root = json_parse(body, len, e);

	if (root == NULL) {
		err_prefix(e, "the %s", what);
		return NULL;
	}
	if (!json_is_object(root)) {
		json_free(root);
		err_set(e, ERR_UPSTREAM, "the %s is not a JSON object", what);
		return NULL;
	}
	return root;
}

char *
acme_object_url_copy(const char *url, const char *member, bool https_required, struct err *e)
{
	struct uri uri;

	if (!uri_parse(url, strlen(url), &uri, e)) {
		err_prefix(e, "member %s", member);
		return NULL;
	}
	if (uri.https != https_required) {
		err_set(e, ERR_UPSTREAM, "member %s is an %s URL, the directory's is %s", member,
		    uri.https ? "https" : "http", https_required ? "https" : "http");
		return NULL;
	}
	return xstrdup(url);
}

bool
acme_object_url(const struct json *object, const char *member, bool https_required, bool required,
    char **ret_url, struct err *e)
{
	const char *url = json_string(object, member);

	if (url == NULL && json_member(object, member) != NULL)
		return err_set(e, ERR_UPSTREAM, "member %s is not a string", member);
	if (url == NULL && required)
		return err_set(e, ERR_UPSTREAM, "member %s is missing", member);
	*ret_url = url != NULL ? acme_object_url_copy(url, member, https_required, e) : NULL;
	return url == NULL || *ret_url != NULL;
}
