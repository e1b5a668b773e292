/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The authoritative servers of a zone: its NS records and their addresses. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"
#include "dns/server.h"

struct dns_client;
struct op;

enum { DNS_AUTHORITIES_MAX = 16, DNS_AUTHORITY_ADDRESSES_MAX = 6 };

struct dns_authority {
	char name[DNS_NAME_TEXT];
	struct dns_servers addresses; /* may be none */
};

struct dns_authorities {
	struct dns_authority items[DNS_AUTHORITIES_MAX];
	size_t count;
};

struct dns_authority_find {
	struct dns_client *client;
	const struct dns_servers *resolvers; /* borrowed; asked first */
	/* Borrowed; asked when no resolver can tell. A name server with the address of one of them
	 * is taken to listen on the same port, the others on 53. */
	const struct dns_servers *servers;
	int64_t timeout_ms; /* for each server and question */
	const char *zone;   /* borrowed */
	/* found: at least one, valid during the call; NULL with e: the NS records cannot be had. */
	void (*done)(void *arg, const struct dns_authorities *found, const struct err *e);
	void *arg;
};

/* Copies the struct. */
void dns_authority_find_start(const struct dns_authority_find *find, struct op **slot);
