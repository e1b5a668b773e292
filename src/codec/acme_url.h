/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the readers of ACME objects share: the object itself, and URLs in it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "codec/json.h"

/* The JSON object of a body; what is its name for messages. NULL with ERR_UPSTREAM. The caller
 * frees it. */
struct json *acme_object(const char *body, size_t len, const char *what, struct err *e);

/* A copy of url if it can be followed: well-formed, and https or not as the directory is. NULL
 * with ERR_UPSTREAM, naming the member. */
char *acme_url_copy(const char *url, const char *member, bool https_required, struct err *e);

/* The member's URL into *ret_url, NULL if it is absent and not required. */
bool acme_url(const struct json *object, const char *member, bool https_required, bool required,
    char **ret_url, struct err *e);
