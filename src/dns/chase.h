/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a name really is: its chain of CNAME (RFC 1034 3.6.2) and DNAME
 * (RFC 6672) records, followed to the end. One question for each link, bounded;
 * loops are found.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"
#include "dns/server.h"

struct dns_client;
struct op;

enum { DNS_CHASE_MAX = 16 };

struct dns_chase {
	struct dns_client *client;
	const struct dns_servers *resolvers; /* borrowed */
	/* Authoritative servers, borrowed: asked first about names within zone, and about others
	 * when no resolver can tell. */
	const struct dns_servers *servers;
	const char *zone;   /* borrowed; NULL: not known */
	int64_t timeout_ms; /* for each server and question */
	const char *name;   /* copied */
	/* target is the end of the chain, maybe the name itself, whether it exists or not; NULL
	 * with e: ERR_CONFIG for a loop or a chain that is too long, else the servers' errors. */
	void (*done)(void *arg, const char *target, const struct err *e);
	void *arg;
};

/* Copies the struct. */
void dns_chase_start(const struct dns_chase *chase, struct op **slot);
