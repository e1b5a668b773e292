/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nonces (RFC 8555 6.5): each is good once. The last million are remembered. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { NONCE_TEXT = 23 };

struct nonces;

struct nonces *nonces_new(void);
void nonces_free(struct nonces *n);
/* None that was given is good any more. */
void nonces_forget(struct nonces *n);
void nonces_make(struct nonces *n, char ret_text[NONCE_TEXT]);
/* Whether it was good; it is not afterwards. */
bool nonces_use(struct nonces *n, const char *text);
/* How many are out and unused. */
size_t nonces_count(const struct nonces *n);
