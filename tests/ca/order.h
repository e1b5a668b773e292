/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders and their authorizations: how they come about and how their states follow one another
 * (RFC 8555 7.1.6). */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "state.h"

struct ca;
struct call;

/* The names of an order; frees what it was given if it fails. */
struct order_wish {
	struct identifier *identifiers;
	size_t count;
	const char *profile, *replaces; /* or NULL */
};

struct order *order_new(struct call *c, const struct order_wish *wish);
/* The account's newest order for these names if it is pending or ready, or NULL. */
struct order *order_open(const struct call *c, const struct order_wish *wish);
/* Moves on what time and authorizations allow; polled: by a look at the order itself. */
void order_refresh(struct ca *ca, struct order *o, bool polled);
json_t *order_json(const struct ca *ca, const struct order *o);
/* Answers with the order, its Location and, while it is processing, Retry-After. */
void order_answer(struct call *c, int status, const struct order *o);
/* Seconds since 1970 as RFC 3339 writes them. */
json_t *time_json(int64_t when);
json_t *identifier_json(const struct identifier *i);
