/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a request brings to be admitted with: who asks, and the HMAC header. */
#pragma once

#include <stdbool.h>

#include "codec/authentication.h"
#include "mgmt/identity.h"

struct err;
struct http_exchange;

struct credentials {
	struct peer_identity peer;
	struct authentication header;
	const struct authentication *auth; /* NULL: no header, or one that is not ours to read */
};

/* *ret_unread: why a header that is there could not be read, to be told if nothing else admits the
 * request: other software may send an Authorization of its own. The caller frees it; NULL: none. */
void credentials_read(const struct http_exchange *x, const struct proxy_trust *trust,
    struct credentials *ret, char **ret_unread);
/* Answers with e, and why the header was not read if that may be the reason. unread may be NULL.
 * The exchange is gone. */
void credentials_refuse(struct http_exchange *x, const struct err *e, const char *unread);
