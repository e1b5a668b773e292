/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes the place of acme/order.c, acme/revoke.c and acme/ca.c: an order or a revocation stays
 * open until the scenario says how it ends. The acme room has scenarios of its own; here only what
 * it tells the desk counts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "acme/order.h"
#include "acme/revoke.h"
#include "base/err.h"

struct fake_order;

struct fake_acme {
	struct err not_ready; /* other than ERR_NONE: what ca_ready says */
	const char *directory_url;
	const char *profile;
	struct key *key;
	int days;           /* certificates live */
	unsigned flags;     /* enum fake_chain_flags */
	int64_t clock_step; /* seconds our clock jumps when a certificate arrives */
	unsigned started;
	unsigned cancelled;
	unsigned revocations; /* asked for */
	bool revoking;        /* one is open; there is one at a time */
	enum revoke_reason reason;
	uint8_t revoke_der[4096]; /* of the last one */
	size_t revoke_der_len;
};
extern struct fake_acme fake_acme;

void fake_acme_reset(void);
void fake_acme_done(void);

size_t fake_orders_open(void);
/* The i-th open one, the oldest first. */
struct fake_order *fake_order_at(size_t i);
const struct acme_order_conf *fake_order_conf(const struct fake_order *o);
void fake_order_issue(struct fake_order *o);
void fake_order_fail(
    struct fake_order *o, enum err_kind kind, const char *text, int64_t retry_after);
void fake_order_fail_with(struct fake_order *o, const struct err *e);
/* text NULL: no error any more. */
void fake_order_challenge_error(struct fake_order *o, const char *text);
/* Ends the open revocation. */
void fake_revoke_end(bool already, const struct err *e);
