/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [auth "NAME"]: who may have what. */
#include <stdlib.h>
#include <string.h>

#include "app/conf_build.h"
#include "app/conf_value.h"
#include "base/alloc.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct conf_setter setters[] = {
    {"all", conf_set_bool, offsetof(struct auth_block, all)},
    {"profile", conf_set_text, offsetof(struct auth_block, profile)},
    {"revoke", conf_set_bool, offsetof(struct auth_block, revoke)},
};

/* ---- verification and storage ---- */

/* The names of all verification or storage blocks; the caller frees the array. */
static const char **
block_names(const struct conf *c, bool storage, size_t *ret_count)
{
	size_t n = storage ? c->storage_count : c->verification_count;
	const char **names = xcalloc(n + 1, sizeof(*names));

	for (size_t i = 0; i < n; i++)
		names[i] = storage ? c->storages[i].name : c->verifications[i].name;
	*ret_count = n;
	return names;
}

static size_t
named_block(struct conf_build *b, const struct conf_entry *in, bool storage)
{
	size_t n;
	const char **names = block_names(b->conf, storage, &n);
	int i = conf_find_name(names, n, in->value);

	if (i < 0)
		conf_error(b, in->place, "there is no [%s \"%s\"]%s", in->option->name, in->value,
		    conf_did_you_mean(in->value, names, n));
	free(names);
	return i < 0 ? 0 : (size_t)i;
}

static size_t
choose_block(struct conf_build *b, const struct conf_section *s, const char *kind, int fallback)
{
	const struct conf_entry *given = conf_entry_find(s, kind);

	if (given != NULL)
		return named_block(b, given, strcmp(kind, "storage") == 0);
	if (fallback == CONF_NO_DEFAULT)
		conf_error(b, s->place,
		    "[auth \"%s\"] names no %s, and there is no default: add %s = NAME", s->name,
		    kind, kind);
	return fallback < 0 ? 0 : (size_t)fallback;
}

/* ---- the block ---- */

static void
build_one(struct conf_build *b, const struct conf_section *s, struct auth_block *out)
{
	const struct conf_entry *revoke = conf_entry_find(s, "revoke");

	out->name = conf_keep_text(b->conf, s->name);
	out->line = s->place.line;
	conf_set(b, s, "auth", NULL, setters, COUNT(setters), out);
	conf_build_methods(b, s, out);
	conf_build_domains(b, s, out);
	out->verification = choose_block(b, s, "verification", b->default_verification);
	out->store = choose_block(b, s, "storage", b->default_storage);
	if (out->revoke && out->hmac == DIGEST_NONE)
		conf_error(b, revoke->place,
		    "revoke = yes in [auth \"%s\"] wants an HMAC too: add hmac_type and hmac_key, "
		    "since an address proves too little for it",
		    s->name);
}

void
conf_build_auths(struct conf_build *b)
{
	struct conf *c = b->conf;
	size_t n = conf_sections_count(&b->sections, "auth");
	const struct conf_section *s = NULL;

	c->auths = conf_keep(c, n, sizeof(*c->auths));
	while ((s = conf_sections_next(&b->sections, "auth", s)) != NULL)
		build_one(b, s, &c->auths[c->auth_count++]);
	if (n == 0)
		conf_warn(
		    b, b->start, "there is no [auth \"NAME\"] block: nobody gets a certificate");
}
