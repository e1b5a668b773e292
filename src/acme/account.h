/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our account at one CA (RFC 8555 7.3), brought in order in the background:
 * directory, newAccount with onlyReturnExisting, registration where that finds
 * none, contacts. What the key says counts, not the URL on file.
 *
 * A CA that is down is tried again after 1, 2, 4 ... 60 s; one that refuses us
 * after 10 minutes. While an attempt is the first one, orders wait for it.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct account;
struct ca;
struct op;

/* Reads registration.json; no network. */
struct account *account_new(struct ca *ca);
void account_free(struct account *a); /* NULL is fine */

/* Begins, unless it is under way. */
void account_check(struct account *a);
/* Forgets back-off and refusal: tries now. */
void account_retry(struct account *a);

/* What requests tell: the CA did not answer, or the account may not be what it was. */
enum account_doubt {
	ACCOUNT_SURELY_GONE,  /* accountDoesNotExist */
	ACCOUNT_LIKELY_GONE,  /* unauthorized and the like */
	ACCOUNT_PERHAPS_GONE, /* what nearly always has another reason */
};
/* Marks e if an event told it. */
void account_unreachable(struct account *a, struct err *e);
void account_doubt(struct account *a, enum account_doubt doubt);

/* False with the reason, and when to come again, while it does not work. */
bool account_usable(const struct account *a, struct err *e);
const char *account_url(const struct account *a); /* NULL: unknown */
/* Another number whenever requests signed before are no longer those of the account. */
unsigned account_generation(const struct account *a);
/* Takes over a key that another program has put in place meanwhile; whether there was one. */
bool account_takes_new_key(struct account *a);

/* e is NULL when account and directory can be used. */
typedef void account_done_fn(void *arg, const struct err *e);
/* Has no deadline of its own. */
void account_wait(struct account *a, account_done_fn *done, void *arg, struct op **slot);
