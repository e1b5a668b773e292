/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two halves of the floor: the CA that answers without thought, and the work of one issuance.
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

struct event_base;
struct evhttp;

enum { FLOOR_STEPS = 7, FLOOR_CHALLENGE = 3, FLOOR_FINALIZE = 4 };

struct event_base *floor_base(void);
/* HTTP at a port of the loopback address. */
struct evhttp *floor_listen(struct event_base *base, long port);

/* Never returns: HTTPS at tls_port; a challenge is fetched from http_port. */
_Noreturn void floor_ca(EVP_PKEY *key, X509 *cert, long tls_port, long http_port);

/* ---- codec ---- */

/* A CSR as PEM, its signature verified. */
X509_REQ *floor_csr(const char *pem, size_t len);
/* A signed request; the caller frees it. */
char *floor_jws(EVP_PKEY *key, const char *url, const unsigned char *payload, size_t len);
/* The chain's leaf is read, and its key. */
void floor_leaf(const char *pem, size_t len);
X509 *floor_certificate(EVP_PKEY *key);
