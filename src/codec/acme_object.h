/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the readers of ACME objects share: the object itself, its status, its dates and URLs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/acme_json.h"
#include "codec/json.h"

/* The JSON object of a body; what is its name for messages. NULL with ERR_UPSTREAM. The caller
 * frees it. */
struct json *acme_object_parse(const char *body, size_t len, const char *what, struct err *e);

/* A copy of url if it can be followed: well-formed, and https or not as the directory is. NULL
 * with ERR_UPSTREAM, naming the member. */
char *acme_object_url_copy(const char *url, const char *member, bool https_required, struct err *e);

/* The member's URL into *ret_url, NULL if it is absent and not required. */
bool acme_object_url(const struct json *object, const char *member, bool https_required,
    bool required, char **ret_url, struct err *e);

/* The member status; ACME_STATUS_UNKNOWN if it is none we know, or absent. */
enum acme_status acme_object_status(const struct json *object);

/* The member expires; 0 if absent. One that cannot be read is as good as none: it could only
 * shorten what we wait. */
int64_t acme_object_expires(const struct json *object);
