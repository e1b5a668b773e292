/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Dynamic UPDATE (RFC 2136) of exactly one TXT record: added, or deleted and
 * nothing else with it. Without a key over TCP; with one over UDP if it fits
 * into 512 octets, silence retried over TCP.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/server.h"

struct dns_client;
struct op;
struct tsig_key;

struct dns_update {
	struct dns_client *client;
	const struct dns_servers *servers; /* borrowed; tried in order, until one does it */
	size_t first;                      /* where to begin */
	const struct tsig_key *key;        /* borrowed; NULL: none */
	int64_t timeout_ms;                /* for each server */
	const char *zone;                  /* the apex; copied like the next two */
	const char *name;
	const char *value; /* at most 255 octets */
	bool add;
	uint32_t ttl; /* when adding; seconds */
	/* e is NULL when a server did it. touched: bit n is set if servers->items[n] did it or may
	 * have done it. ERR_CONFIG: a server refuses, and people have to mend that; ERR_UPSTREAM or
	 * ERR_UNREACHABLE otherwise. */
	void (*done)(void *arg, uint64_t touched, const struct err *e);
	void *arg;
};

/* Copies the struct. Cancelling leaves open whether a server did it. */
void dns_update_start(const struct dns_update *update, struct op **slot);
