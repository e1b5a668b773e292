/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Another key for our account (RFC 8555 7.3.5), such that no crash loses it: the
 * new key is on disk as account.pem.new before the CA is told, under the lock of
 * the directory, and becomes account.pem afterwards. Where the CA's answer is
 * lost it is asked which key it knows (acme/account_pending.c), now or by whoever
 * opens the account next.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct ca;
struct key;
struct op;

/* e is NULL when the account has the new key, at the CA, on disk and in ca. Else it has the old
 * one; only if e says so that is not known yet. */
typedef void acme_key_change_done_fn(void *arg, const struct err *e);

/* key is taken over. Waits for the account, and for another program to give the lock free. Blocks
 * for some syncs: not for the daemon. deadline: clock_mono_ms. */
void acme_key_change_start(struct ca *ca, struct key *key, int64_t deadline,
    acme_key_change_done_fn *done, void *arg, struct op **slot);
