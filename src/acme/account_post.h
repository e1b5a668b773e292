/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is done with our account at the CA on an operator's wish (RFC 8555 7.3): a
 * look at it, other contacts (7.3.2), agreeing to the terms (7.3.3), the end of it
 * (7.3.6). Each waits until the account is in order, then sends one request;
 * what the CA has accepted is recorded in registration.json.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct acme_account_object;
struct ca;
struct op;

/* object: the account as the CA describes it, valid during the call; an empty one if the CA said
 * nothing. NULL with e on failure. */
typedef void acme_account_done_fn(
    void *arg, const struct acme_account_object *object, const struct err *e);

/* deadline: clock_mono_ms. */
void acme_account_fetch_start(
    struct ca *ca, int64_t deadline, acme_account_done_fn *done, void *arg, struct op **slot);
/* contacts: "mailto:...", copied; these instead of all there are; none is fine. */
void acme_account_contacts_start(struct ca *ca, char *const *contacts, size_t count,
    int64_t deadline, acme_account_done_fn *done, void *arg, struct op **slot);
/* By newAccount, which gives the account there is: an update may not speak of terms (7.3.2). */
void acme_account_agree_start(
    struct ca *ca, int64_t deadline, acme_account_done_fn *done, void *arg, struct op **slot);
/* For good: there is no way back (7.3.6). */
void acme_account_deactivate_start(
    struct ca *ca, int64_t deadline, acme_account_done_fn *done, void *arg, struct op **slot);
