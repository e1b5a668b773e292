/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who signed a request, and whether he did: nonce, URL, key or account, signature. */
#pragma once

#include <stdbool.h>

struct account;
struct ca;
struct call;

/* How a resource wants its requests signed. */
enum signer {
	SIGNER_ACCOUNT,
	SIGNER_KEY,    /* newAccount */
	SIGNER_EITHER, /* revokeCert */
};

/* Fills in header, payload, key and account; else the answer says why not. */
bool auth_open(struct call *c, enum signer signer);
/* The account of a URL, whatever its status, or NULL. */
struct account *auth_account(const struct ca *ca, const char *url);
