/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Revokes one certificate (RFC 8555 7.6): signed by the account that ordered it,
 * or by the certificate's own key, which needs no account. A certificate that is
 * revoked already counts as done.
 *
 * Nothing is kept here: what is to happen to the certificate on our side is the
 * caller's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct ca;
struct key;
struct op;

enum revoke_reason { /* RFC 5280 5.3.1, those a subscriber may give */
	REVOKE_UNSPECIFIED = 0,
	REVOKE_KEY_COMPROMISE = 1,
	REVOKE_SUPERSEDED = 4,
	REVOKE_CESSATION = 5,
};

struct acme_revoke_conf {
	const uint8_t *der; /* of the certificate; copied */
	size_t der_len;
	enum revoke_reason reason;
	const struct key *key; /* the certificate's; borrowed, must outlive the operation. NULL: the
				  account's */
	int64_t deadline;      /* clock_mono_ms */
};

/* e is NULL if it is revoked; already: it was before.
 *
 * Kinds of failure: ERR_FORBIDDEN (unauthorized: not of this account or key), ERR_BAD_CSR
 * (malformed: no certificate of this CA), ERR_BAD_REQUEST (badRevocationReason), ERR_RATE_LIMITED,
 * ERR_ACCOUNT, ERR_UNREACHABLE, ERR_UPSTREAM, ERR_TIMEOUT. */
typedef void acme_revoke_done_fn(void *arg, bool already, const struct err *e);
void acme_revoke_start(struct ca *ca, const struct acme_revoke_conf *conf,
    acme_revoke_done_fn *done, void *arg, struct op **slot);
