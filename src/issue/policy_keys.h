/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The HMAC keys of a policy: each different one once, however many blocks share it. Keys that HMAC
 * takes for the same are the same here, so at most one fits a request, and it is found at once if
 * it is the one its client used last time. Nothing else is remembered of a request, no verdict.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/authentication.h"
#include "codec/ip.h"

struct policy_keys;

struct policy_keys *policy_keys_new(void);
void policy_keys_free(struct policy_keys *k); /* NULL is fine */
/* Copies; returns its number, equal for equal keys of one kind. */
size_t policy_keys_add(struct policy_keys *k, enum digest_kind kind, const void *bytes, size_t len);

/* One request: which key its HMAC is of. */
struct key_trial {
	struct policy_keys *keys;
	const struct authentication *auth; /* NULL: none fits */
	const void *body;
	size_t len;
	size_t *hint; /* where the key of this client is noted */
	bool begun;
	bool found;
	size_t right; /* if found */
	bool *tried;  /* NULL: none but the hint */
};

/* addr NULL: not known. Computes nothing yet. */
void key_trial_init(struct key_trial *t, struct policy_keys *k, const struct ip_addr *addr,
    const struct authentication *auth, const void *body, size_t len);
void key_trial_done(struct key_trial *t);
/* Whether key number id is the one. */
bool key_trial_fits(struct key_trial *t, size_t id);
