/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The zone a name is in: the owner of the SOA record that an authoritative
 * server answers with (RFC 2308 3). Needed because a server takes an UPDATE
 * only for the apex (RFC 2136 3.1.1).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"
#include "dns/server.h"

struct dns_client;
struct op;

struct dns_zone {
	char name[DNS_NAME_TEXT];
	size_t server;       /* which of the servers said so */
	const char *warning; /* not NULL: the zone was guessed, and why; valid during the call */
};

struct dns_zone_find {
	struct dns_client *client;
	const struct dns_servers *servers; /* borrowed; tried in order */
	int64_t timeout_ms;                /* for each */
	const char *name;                  /* copied */
	/* zone is NULL on failure: every server that answered is not authoritative for the name
	 * (ERR_CONFIG). If one refused to tell or was silent, the last two labels are the guess. */
	void (*done)(void *arg, const struct dns_zone *zone, const struct err *e);
	void *arg;
};

/* Copies the struct. */
void dns_zone_find_start(const struct dns_zone_find *find, struct op **slot);
