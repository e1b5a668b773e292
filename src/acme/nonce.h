/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The nonces of one CA (RFC 8555 6.5): every answer brings one, newest are used
 * first, and when there are none some are fetched from newNonce, a few at a time
 * however many wait.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct ca;
struct nonces;
struct op;

enum { NONCES_KEPT = 64, NONCE_MAX = 512 };

/* The pool alone: full, it drops the oldest. */
struct nonce_pool {
	char *items[NONCES_KEPT];
	size_t first;
	size_t count;
};
/* False, and nothing kept, if it is no nonce: empty, too long, not base64url. */
bool nonce_pool_put(struct nonce_pool *pool, const char *nonce);
char *nonce_pool_take(struct nonce_pool *pool); /* newest; the caller frees; NULL: none */
void nonce_pool_done(struct nonce_pool *pool);

struct nonces *nonces_new(struct ca *ca);
void nonces_free(struct nonces *n); /* forgets those who wait; NULL is fine */
/* A Replay-Nonce header; NULL is fine. */
void nonces_put(struct nonces *n, const char *nonce);

/* nonce is valid during the call; NULL with e on failure. */
typedef void nonces_done_fn(void *arg, const char *nonce, const struct err *e);
/* Has no deadline of its own: the request has one. */
void nonces_get(struct nonces *n, nonces_done_fn *done, void *arg, struct op **slot);
