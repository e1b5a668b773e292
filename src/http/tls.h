/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TLS context of the client side: TLS 1.2 at least, chain and host name always verified. */
#pragma once

#include "base/err.h"

struct ssl_ctx_st;

/* trust: a file or directory of CA certificates, or NULL for the environment's ACME_CAFILE,
 * REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE (first that is set), else the system's. A file that cannot be
 * read or a store with no certificate in it is ERR_CONFIG with a sentence that says what to set. */
struct ssl_ctx_st *tls_client_context(const char *trust, struct err *e);
void tls_context_free(struct ssl_ctx_st *ctx);
