/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every program needs to speak with a CA: names to addresses, whom to trust, and the HTTP
 * client over both. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct http_client;
struct loop;
struct resolver;
struct ssl_ctx_st;

struct ca_client {
	struct resolver *resolver;
	struct ssl_ctx_st *tls;
	struct http_client *http;
};

/* ca_file: what is trusted, or NULL (http/tls.h). *c has to be zeroed. On failure, ERR_CONFIG or
 * ERR_INTERNAL, what is there already is ca_client_done's to free. */
bool ca_client_init(struct ca_client *c, struct loop *loop, const char *ca_file, struct err *e);
/* tls is trusted for connections made from now on, and taken over. */
void ca_client_trust(struct ca_client *c, struct ssl_ctx_st *tls);
void ca_client_done(struct ca_client *c); /* a zeroed one is fine */
