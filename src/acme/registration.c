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

	*r = (struct registration){.path = account_path(dir, "registration.json")};
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

/* Compares with what was before: unknown members may come in any form. */
static bool
registration_replace(struct registration *r, struct json *body)
{
	char *before = json_text(r->root, INDENT);
	char *after;

	json_set(r->root, "body", body);
	if (r->uri != NULL)
		json_set_string(r->root, "uri", r->uri);
	after = json_text(r->root, INDENT);
	if (strcmp(before, after) != 0)
		r->unwritten = true;
	free(before);
	free(after);
	return r->unwritten;
}

bool
registration_record(
    struct registration *r, const char *uri, const struct json *key, const struct json *contacts)
{
	if (r->uri == NULL || strcmp(r->uri, uri) != 0) {
		free(r->uri);
		r->uri = xstrdup(uri);
	}
	return registration_replace(r, registration_body(r, key, contacts));
}

bool
registration_record_status(struct registration *r, const char *status)
{
	const struct json *old = json_member(r->root, "body");
	struct json *body = json_is_object(old) ? json_copy(old) : json_new_object();

	json_set_string(body, "status", status);
	return registration_replace(r, body);
}

bool
registration_write(struct registration *r, struct err *e)
{
	char *text = json_text(r->root, INDENT);
	bool ok = file_write_given(r->path, text, strlen(text), FILE_MODE, e);

	free(text);
	r->unwritten = !ok;
	return ok;
}
