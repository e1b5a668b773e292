/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_meta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "codec/date.h"
#include "codec/ip.h"
#include "codec/json.h"

struct meta_file {
	struct json *root;
	struct identifiers names;
	struct store_meta meta;
};

/* ---- writing ---- */

static void
set_text(struct json *object, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_set_string(object, key, value);
}

static void
set_date(struct json *object, const char *key, int64_t seconds)
{
	char text[DATE_TEXT];

	if (seconds != 0)
		json_set_string(object, key, date_format_rfc3339(seconds, text));
}

static void
set_names(struct json *object, const struct identifiers *names)
{
	if (names == NULL)
		return;
	struct json *array = json_new_array();
	for (size_t i = 0; i < names->count; i++)
		json_add_string(array, names->items[i].value);
	json_set(object, "names", array);
}

char *
store_meta_text(const struct store_meta *meta)
{
	struct json *root = json_new_object();

	json_set_string(root, "directory", meta->directory_url == NULL ? "" : meta->directory_url);
	set_text(root, "account", meta->account_url);
	set_text(root, "profile", meta->profile);
	set_names(root, meta->names);
	set_text(root, "auth", meta->auth_block);
	set_text(root, "verification", meta->verification);
	set_text(root, "certificate", meta->certificate_url);
	set_text(root, "serial", meta->leaf.serial);
	set_text(root, "issuer", meta->leaf.issuer);
	set_date(root, "not_before", meta->leaf.not_before);
	set_date(root, "not_after", meta->leaf.not_after);
	set_date(root, "issued", meta->issued);
	set_date(root, "fetched", meta->fetched);
	set_text(root, "peer", meta->peer);

	char *text = json_text(root, 2);
	json_free(root);
	return text;
}

char *
store_meta_fetched(const struct meta_file *f, int64_t fetched, const char *peer)
{
	struct json *root = json_copy(f->root);

	set_date(root, "fetched", fetched);
	set_text(root, "peer", peer);
	char *text = json_text(root, 2);
	json_free(root);
	return text;
}

/* ---- reading ---- */

static int64_t
get_date(const struct json *root, const char *key)
{
	const char *text = json_string(root, key);
	int64_t seconds = 0;

	if (text == NULL || !date_parse_rfc3339(text, strlen(text), &seconds))
		return 0;
	return seconds;
}

static void
get_names(const struct json *root, struct identifiers *names)
{
	const struct json *array = json_member(root, "names");
	size_t count = json_array_count(array);

	for (size_t i = 0; i < count && names->count < IDENTIFIERS_MAX; i++) {
		const char *text = json_array_string(array, i);
		struct identifier id;
		struct ip_addr ip;

		if (text == NULL)
			continue;
		if (ip_addr_parse(text, strlen(text), &ip))
			identifier_ip(&ip, &id);
		else if (!identifier_dns(text, strlen(text), &id, NULL))
			continue;
		identifiers_add(names, &id);
	}
}

/* A file of strangers may have more than fits: what is kept is whole characters, which can be
 * written again. */
static void
get_text(const struct json *root, const char *key, char *to, size_t size)
{
	const char *text = json_string(root, key);

	if (text != NULL)
		snprintf(to, size, "%.*s", (int)utf8_cut(text, size - 1), text);
}

static void
get_leaf(const struct json *root, struct leaf_info *leaf)
{
	get_text(root, "serial", leaf->serial, sizeof(leaf->serial));
	get_text(root, "issuer", leaf->issuer, sizeof(leaf->issuer));
	leaf->not_before = get_date(root, "not_before");
	leaf->not_after = get_date(root, "not_after");
}

struct meta_file *
store_meta_parse(const char *text, size_t len, struct err *e)
{
	struct json *root = json_parse(text, len, e);

	if (root == NULL) {
		if (e != NULL)
			e->kind = ERR_CONFIG;
		return NULL;
	}
	if (json_string(root, "directory") == NULL) {
		err_set(e, ERR_CONFIG, "it names no directory");
		json_free(root);
		return NULL;
	}
	struct meta_file *f = xcalloc(1, sizeof(*f));
	f->root = root;
	get_names(root, &f->names);
	get_leaf(root, &f->meta.leaf);
	f->meta.directory_url = json_string(root, "directory");
	f->meta.account_url = json_string(root, "account");
	f->meta.profile = json_string(root, "profile");
	f->meta.auth_block = json_string(root, "auth");
	f->meta.verification = json_string(root, "verification");
	f->meta.certificate_url = json_string(root, "certificate");
	f->meta.names = f->names.count > 0 ? &f->names : NULL;
	f->meta.issued = get_date(root, "issued");
	f->meta.fetched = get_date(root, "fetched");
	f->meta.peer = json_string(root, "peer");
	return f;
}

void
store_meta_free(struct meta_file *f)
{
	if (f == NULL)
		return;
	identifiers_done(&f->names);
	json_free(f->root);
	free(f);
}

const struct store_meta *
store_meta_of(const struct meta_file *f)
{
	return &f->meta;
}
