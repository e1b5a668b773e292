/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 8555 7.1.1. Part of codec/acme_json.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/acme_json.h"
#include "codec/acme_object.h"
#include "codec/json.h"

static bool
collect_profile(const char *name, const struct json *value, void *arg)
{
	struct acme_directory *d = arg;

	if (d->profile_count < ACME_PROFILES_MAX)
		d->profiles[d->profile_count++] = xstrdup(name);
	return d->profile_count < ACME_PROFILES_MAX;
}

static void
parse_meta(const struct json *meta, struct acme_directory *d)
{
	const char *terms = json_string(meta, "termsOfService");

	/* Shown to people and compared, never followed: any scheme will do. */
	if (terms != NULL && *terms != '\0' && strlen(terms) <= URI_MAX)
		d->terms_of_service = xstrdup(terms);
	d->external_account_required = json_bool(meta, "externalAccountRequired", false);
	if (json_is_object(json_member(meta, "profiles")))
		json_each(json_member(meta, "profiles"), collect_profile, d);
}

bool
acme_directory_parse(
    const char *body, size_t len, bool https_required, struct acme_directory *ret, struct err *e)
{
	struct acme_directory d = {0};
	const struct {
		const char *name;
		char **url;
		bool required;
	} rows[] = {
	    {"newNonce", &d.new_nonce, true},
	    {"newAccount", &d.new_account, true},
	    {"newOrder", &d.new_order, true},
	    {"revokeCert", &d.revoke_cert, false},
	    {"keyChange", &d.key_change, false},
	    {"renewalInfo", &d.renewal_info, false},
	};
	struct json *root = acme_object_parse(body, len, "directory", e);
	bool good = root != NULL;

	for (size_t i = 0; good && i < sizeof(rows) / sizeof(rows[0]); i++)
		good = acme_object_url(
			   root, rows[i].name, https_required, rows[i].required, rows[i].url, e) ||
		    err_prefix(e, "the directory");
	if (good) {
		parse_meta(json_member(root, "meta"), &d);
		*ret = d;
	} else {
		acme_directory_done(&d);
	}
	json_free(root);
	return good;
}

void
acme_directory_done(struct acme_directory *d)
{
	free(d->new_nonce);
	free(d->new_account);
	free(d->new_order);
	free(d->revoke_cert);
	free(d->key_change);
	free(d->renewal_info);
	free(d->terms_of_service);
	for (size_t i = 0; i < d->profile_count; i++)
		free(d->profiles[i]);
	*d = (struct acme_directory){0};
}
