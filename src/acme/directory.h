/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directory of one CA (RFC 8555 7.1.1) as it was when last fetched. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/acme_json.h"

struct directory {
	bool known;
	int64_t fetched; /* clock_mono_ms */
	struct acme_directory object;
};

/* Replaces what was known. On failure that stays. */
bool directory_read(
    struct directory *d, const char *body, size_t len, bool https, int64_t now, struct err *e);
void directory_done(struct directory *d);
/* Younger than a day, and not doubted. */
bool directory_fresh(const struct directory *d, int64_t now);
/* Something the CA said does not fit: fetch it anew before the next order, unless it has just been
 * fetched. */
void directory_doubt(struct directory *d, int64_t now);
/* Whether this profile is offered; if not, ERR_CONFIG names those that are. */
bool directory_offers(const struct directory *d, const char *profile, struct err *e);
