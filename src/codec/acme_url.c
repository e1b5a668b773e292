/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/acme_url.h"

#include <string.h>

#include "base/alloc.h"
#include "codec/uri.h"

struct json *
acme_object(const char *body, size_t len, const char *what, struct err *e)
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
acme_url_copy(const char *url, const char *member, bool https_required, struct err *e)
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
acme_url(const struct json *object, const char *member, bool https_required, bool required,
    char **ret_url, struct err *e)
{
	const char *url = json_string(object, member);

	if (url == NULL && json_member(object, member) != NULL)
		return err_set(e, ERR_UPSTREAM, "member %s is not a string", member);
	if (url == NULL && required)
		return err_set(e, ERR_UPSTREAM, "member %s is missing", member);
	*ret_url = url != NULL ? acme_url_copy(url, member, https_required, e) : NULL;
	return url == NULL || *ret_url != NULL;
}
