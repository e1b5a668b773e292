/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How an [auth] block knows its clients: ip, hmac_*, all. */
#include <string.h>

#include "app/conf_build.h"
#include "app/conf_secret.h"
#include "app/conf_value.h"

/* ---- ip ---- */

static void
build_ranges(struct conf_build *b, const struct conf_section *s, struct auth_block *out)
{
	size_t n;
	struct conf_entry *in = conf_list(b, s, "auth", NULL, "ip", &n, NULL);
	struct err e;

	out->ranges = conf_keep(b->conf, n, sizeof(*out->ranges));
	for (size_t i = 0; i < n; i++) {
		if (ip_range_parse(in[i].value, &out->ranges[out->range_count], &e))
			out->range_count++;
		else
			conf_error(b, in[i].place, "ip: %s", e.detail);
	}
}

/* ---- hmac ---- */

static void
set_type(struct conf_build *b, const struct conf_entry *in, struct auth_block *out)
{
	static const char *names[DIGEST_KIND_COUNT];
	size_t n = 0;

	out->hmac = digest_kind_parse(in->value, strlen(in->value));
	if (out->hmac != DIGEST_NONE) {
		if (digest_kind_weak(out->hmac))
			conf_warn(b, in->place, "hmac_type: %s is weak; use sha256",
			    digest_kind_name(out->hmac));
		return;
	}
	for (int kind = DIGEST_NONE + 1; kind < DIGEST_KIND_COUNT; kind++)
		names[n++] = digest_kind_name((enum digest_kind)kind);
	conf_error(b, in->place, "hmac_type: unknown \"%s\"%s", in->value,
	    conf_did_you_mean(in->value, names, n));
}

static void
add_key(struct conf_build *b, const char *bytes, size_t len, struct auth_block *out)
{
	out->keys[out->key_count++] = (struct auth_key){conf_keep_bytes(b->conf, bytes, len), len};
}

/* An editor's last newline is not part of the key. */
static size_t
trimmed(const struct buf *file)
{
	size_t len = file->len;

	if (len > 0 && file->data[len - 1] == '\n')
		len--;
	if (len > 0 && file->data[len - 1] == '\r')
		len--;
	return len;
}

static void
add_key_file(struct conf_build *b, const struct conf_entry *in, struct auth_block *out)
{
	struct buf file;

	buf_init(&file, CONF_SECRET_MAX);
	if (conf_secret_read(b, in, &file)) {
		size_t len = trimmed(&file);

		if (len == 0)
			conf_error(b, in->place, "hmac_key-file: %s is empty", in->value);
		else
			add_key(b, file.data, len, out);
	}
	if (file.data != NULL)
		explicit_bzero(file.data, file.len);
	buf_done(&file);
}

/* In file order, so that the number in the log is the one an operator counts. */
static void
build_keys(struct conf_build *b, const struct conf_section *s, struct auth_block *out)
{
	const struct conf_entry *first = conf_entry_find(s, "hmac_key");
	const struct conf_entry *second = conf_entry_next(s, "hmac_key", first);

	out->keys = conf_keep(b->conf, s->count, sizeof(*out->keys));
	for (size_t i = 0; i < s->count; i++) {
		const struct conf_entry *in = &s->entries[i];

		if (strcmp(in->option->name, "hmac_key") == 0)
			add_key(b, in->value, strlen(in->value), out);
		else if (strcmp(in->option->name, "hmac_key-file") == 0)
			add_key_file(b, in, out);
	}
	if (first != NULL && second != NULL)
		conf_note(b, second->place,
		    "several hmac_key: each of them admits; the original took the last alone");
}

/* ---- together ---- */

static void
check_hmac(struct conf_build *b, const struct conf_section *s, const struct conf_entry *type,
    const struct conf_entry *key)
{
	if (type != NULL && !conf_given(s, "hmac_key") && !conf_given(s, "hmac_key-file"))
		conf_error(b, type->place, "hmac_type without hmac_key or hmac_key-file");
	if (key != NULL && !conf_given(s, "hmac_type"))
		conf_error(b, key->place, "%s without hmac_type, such as hmac_type = sha256",
		    key->option->name);
}

static void
check_together(struct conf_build *b, const struct conf_section *s, bool all, bool others)
{
	if (all && others)
		conf_error(b, conf_entry_find(s, "all")->place,
		    "\"all\" beside another method: leave out one or the other");
	if (!all && !others && conf_entry_find(s, "domain") != NULL)
		conf_error(b, s->place,
		    "[auth \"%s\"] has domains but no method: add ip, or hmac_type with hmac_key, "
		    "or "
		    "all = yes to let everybody in (as the original did silently)",
		    s->name);
}

void
conf_build_methods(struct conf_build *b, const struct conf_section *s, struct auth_block *out)
{
	const struct conf_entry *type = conf_entry_find(s, "hmac_type");
	const struct conf_entry *key = conf_entry_find(s, "hmac_key");

	if (key == NULL)
		key = conf_entry_find(s, "hmac_key-file");
	build_ranges(b, s, out);
	if (type != NULL)
		set_type(b, type, out);
	build_keys(b, s, out);
	check_hmac(b, s, type, key);
	check_together(b, s, out->all,
	    conf_given(s, "ip") || conf_given(s, "hmac_type") || conf_given(s, "hmac_key") ||
		conf_given(s, "hmac_key-file"));
}
