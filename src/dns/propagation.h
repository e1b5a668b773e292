/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Waits until the authoritative servers of a zone serve a TXT record. Each is
 * asked without recursion and believed with AA only. One that answers without
 * the record is waited for; one that is lame or cannot be reached is passed
 * over if another one serves it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/server.h"

struct dns_client;
struct op;

struct dns_propagation {
	struct dns_client *client;
	const struct dns_servers *resolvers; /* borrowed; for NS, A and AAAA */
	const struct dns_servers *servers;   /* borrowed; those that take updates */
	size_t server;    /* the one that took ours: asked itself if no other can be reached */
	const char *zone; /* copied, like the next two */
	const char *name;
	const char *value;
	int64_t timeout_ms; /* for each server and question */
	int64_t total_ms;   /* for the waiting */
	/* One line each: a server that was passed over, one that is waited for. May be NULL. */
	void (*warn)(void *arg, const char *text);
	/* e is NULL when the CA may look. Otherwise it names the servers that lag (ERR_UPSTREAM),
	 * or all and why none could be asked (ERR_UNREACHABLE). */
	void (*done)(void *arg, const struct err *e);
	void *arg;
};

/* Copies the struct. */
void dns_propagation_start(const struct dns_propagation *p, struct op **slot);
