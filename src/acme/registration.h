/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of our account, on disk: DIR/registration.json, in the shape the
 * original wrote, {"uri": account URL, "body": {"key": JWK, "contact": [...],
 * "status": ...}}. Any member may be missing; those we do not know are kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "codec/json.h"

struct registration {
	char *path;
	char *uri;         /* account URL; NULL: unknown */
	struct json *root; /* never NULL */
	bool unwritten;    /* something is recorded that is not on disk */
};

/* A missing file is an empty registration. A damaged one too, but then *e says so and false is
 * returned: the file will be written anew. */
bool registration_load(struct registration *r, const char *dir, struct err *e);
void registration_done(struct registration *r);

/* Contacts as last recorded; NULL if none were. */
const struct json *registration_contacts(const struct registration *r);
/* Records what is known; true if there is something to write now. contacts: an array, copied; NULL
 * leaves them. */
bool registration_record(
    struct registration *r, const char *uri, const struct json *key, const struct json *contacts);
/* The same for the account's status, "valid" until the next record. */
bool registration_record_status(struct registration *r, const char *status);
/* Writes what is recorded (mode 0600), under the lock of the directory. Blocks for two syncs;
 * false: ERR_CONFIG. */
bool registration_write(struct registration *r, struct err *e);
