/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTPS for http/server.h: TLS 1.2 at least. */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct key;
struct ssl_ctx_st;

/* chain: PEM, leaf first; key: the leaf's. Both are copied. NULL: ERR_CONFIG, with what does not
 * fit. To be freed with tls_context_free, after the server. */
struct ssl_ctx_st *tls_server_context(
    const char *chain, size_t len, const struct key *key, struct err *e);
