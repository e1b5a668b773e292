/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What acme-get is made of beside its own machine: the loop, the CA, and the two kinds of
 * challenge, both of which answer whatever was asked for. Built in one order, torn down in reverse.
 */
#pragma once

#include <stdbool.h>

#include "acme/ca.h"
#include "app/ca_client.h"
#include "base/err.h"

struct acme_solver;
struct challenge;
struct challenges;
struct get_options;
struct loop;

struct get_parts {
	struct loop *loop;
	struct ca_client client;
	struct ca *ca;
	struct challenges *challenges;
	struct challenge *http, *dns; /* NULL with --revoke-cert */
};

/* Everything but the CA; *p has to be zeroed. On failure, ERR_CONFIG or ERR_INTERNAL, what is there
 * already is get_parts_done's to free. */
bool get_parts_open(struct get_parts *p, const struct get_options *o, struct err *e);
/* The CA, whose account key is made if there is none: when nothing else is in the way any more.
 * event is ca_conf's. */
bool get_parts_account(struct get_parts *p, const struct get_options *o,
    void (*event)(void *arg, enum ca_event event, const char *text, const struct err *e), void *arg,
    struct err *e);
void get_parts_done(struct get_parts *p); /* a zeroed one is fine */
struct acme_solver *get_parts_solver(const struct get_parts *p, const struct get_options *o);
