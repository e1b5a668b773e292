/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/registration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "acme/key_file.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { REGISTRATION_MAX = 256 * 1024, FILE_MODE = 0600, INDENT = 2 };

static bool
registration_read(struct registration *r, struct json **ret, struct err *e)
{
	struct buf text CLEANUP_BUF;

	buf_init(&text, REGISTRATION_MAX);
	*ret = NULL;
	errno = 0;
	if (!file_read(r->path, &text, e))
		return errno == ENOENT;
	*ret = json_parse(text.data != NULL ? text.data : "", text.len, e);
	if (*ret != NULL && json_is_object(*ret))
		return true;
	if (*ret != NULL)
		err_set(e, ERR_CONFIG, "it is no object");
	json_free(*ret);
	*ret = NULL;
	if (e != NULL)
		e->kind = ERR_CONFIG;
	return err_prefix(e, "%s is damaged and will be written anew", r->path);
}

bool
registration_load(struct registration *r, const char *dir, struct err *e)
{
	const char *uri;
	bool intact;

	r->path = account_path(dir, "registration.json");
	intact = registration_read(r, &r->root, e);
	if (r->root == NULL)
		r->root = json_new_object();
	uri = json_string(r->root, "uri");
	r->uri = uri != NULL && uri[0] != '\0' ? xstrdup(uri) : NULL;
	return intact;
}

void
registration_done(struct registration *r)
{
	json_free(r->root);
	free(r->uri);
	free(r->path);
	*r = (struct registration){0};
}

const struct json *
registration_contacts(const struct registration *r)
{
	return json_member(json_member(r->root, "body"), "contact");
}

static struct json *
registration_body(const struct registration *r, const struct json *key, const struct json *contacts)
{
	const struct json *old = json_member(r->root, "body");
	struct json *body = json_is_object(old) ? json_copy(old) : json_new_object();

	if (contacts != NULL)
		json_set(body, "contact", json_copy(contacts));
	else if (json_member(body, "contact") == NULL)
		json_set(body, "contact", json_new_array());
	json_set(body, "key", json_copy(key));
	json_set_string(body, "status", "valid");
	return body;
}

bool
registration_save(struct registration *r, const char *uri, const struct json *key,
    const struct json *contacts, struct err *e)
{
	char *before = json_text(r->root, INDENT);
	char *after;
	bool ok = true;

	if (r->uri == NULL || strcmp(r->uri, uri) != 0) {
		free(r->uri);
		r->uri = xstrdup(uri);
	}
	json_set(r->root, "body", registration_body(r, key, contacts));
	json_set_string(r->root, "uri", uri);
	after = json_text(r->root, INDENT);
	if (strcmp(before, after) != 0)
		ok = file_write_atomic(r->path, after, strlen(after), FILE_MODE, e);
	free(before);
	free(after);
	return ok;
}
