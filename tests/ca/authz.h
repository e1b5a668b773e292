/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Authorizations and challenges (RFC 8555 7.1.4, 8). */
#pragma once

#include <jansson.h>

#include "state.h"

struct ca;
struct call;

/* For one identifier of an order. The new-order's faults say what it offers and how it is. */
struct authz *authz_new(struct call *c, struct order *o, const struct identifier *i);
/* It is invalid from the start. */
void authz_spoil(struct ca *ca, struct authz *a);
json_t *authz_json(const struct ca *ca, const struct authz *a);
json_t *challenge_json(const struct ca *ca, const struct authz *a, const struct challenge *ch);
/* Of that type, or NULL. */
struct challenge *authz_challenge(struct authz *a, const char *type);
/* A validation has ended; type is NULL if it went well. spare: the authorization stays pending. */
void challenge_decide(struct ca *ca, struct authz *a, struct challenge *ch, const char *type,
    const char *detail, bool spare);
