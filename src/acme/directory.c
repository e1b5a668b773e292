/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/directory.h"

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum {
	FRESH_MS = 24 * 3600 * 1000,
	DOUBT_AFTER_MS = 60 * 1000,
	OFFERED_MAX = 600,
};

bool
directory_read(
    struct directory *d, const char *body, size_t len, bool https, int64_t now, struct err *e)
{
	struct acme_directory object;

	if (!acme_directory_parse(body, len, https, &object, e))
		return false;
	directory_done(d);
	d->object = object;
	d->fetched = now;
	d->known = true;
	return true;
}

void
directory_done(struct directory *d)
{
	if (d->known)
		acme_directory_done(&d->object);
	d->known = false;
}

bool
directory_fresh(const struct directory *d, int64_t now)
{
	return d->known && now - d->fetched < FRESH_MS;
}

void
directory_doubt(struct directory *d, int64_t now)
{
	if (now - d->fetched >= DOUBT_AFTER_MS)
		d->fetched = now - FRESH_MS;
}

bool
directory_offers(const struct directory *d, const char *profile, struct err *e)
{
	const struct acme_directory *object = &d->object;
	struct buf names CLEANUP_BUF;

	buf_init(&names, OFFERED_MAX);
	for (size_t i = 0; i < object->profile_count; i++) {
		if (strcmp(object->profiles[i], profile) == 0)
			return true;
		buf_addf(&names, "%s%s", i > 0 ? ", " : "", object->profiles[i]);
	}
	if (object->profile_count == 0)
		return err_set(e, ERR_CONFIG,
		    "the CA offers no profiles, but profile \"%s\" is configured", profile);
	return err_set(e, ERR_CONFIG, "the CA does not offer the profile \"%s\"; it offers: %s",
	    profile, names.data);
}
