/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may have what (acmems.conf(5)). Evaluated for every request against the current
 * configuration; nothing remembers a verdict.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "codec/authentication.h"
#include "codec/identifier.h"
#include "codec/ip.h"

struct policy;

/* Who asks, as far as we can tell. */
struct client_identity {
	bool has_addr; /* false: unix socket, or a trusted proxy that named nobody: satisfies no ip
			*/
	struct ip_addr addr;
	const char *text;    /* for logs: "192.0.2.1", "192.0.2.1 via 10.0.0.1", "unix" */
	const char *subject; /* TLS client certificate's subject; NULL for now */
};

struct auth_key {
	char *bytes;
	size_t len;
};

/* One [auth] block; all strings owned by whoever builds the array, copied by policy_new. */
struct auth_block {
	char *name;
	int line; /* for messages */
	bool all;
	struct ip_range *ranges;
	size_t range_count;
	enum digest_kind hmac; /* DIGEST_NONE: no HMAC wanted */
	struct auth_key *keys;
	size_t key_count;
	char **domains; /* globs, lower case; an address or CIDR matches IP identifiers */
	size_t domain_count;
	size_t verification; /* index into the desk's challenges */
	size_t store;        /* index into the desk's stores */
	char *profile;       /* or NULL: the CA's */
	bool revoke;
};

enum policy_use {
	POLICY_SIGN,
	POLICY_REVOKE, /* only blocks with revoke = yes and an HMAC */
};

struct policy *policy_new(const struct auth_block *blocks, size_t count);
void policy_free(struct policy *p); /* NULL is fine */

/* The cheap tests before a body is looked at: false (ERR_FORBIDDEN) if no block can match this
 * address and header. auth may be NULL: no header. */
bool policy_possible(const struct policy *p, enum policy_use use, const struct client_identity *who,
    const struct authentication *auth, struct err *e);

/* The first block in file order that admits who, auth over body, and every name. *ret_key: which of
 * several HMAC keys (from 1), 0 if none was used. Valid as long as the policy. */
bool policy_admit(const struct policy *p, enum policy_use use, const struct client_identity *who,
    const struct authentication *auth, const void *body, size_t len,
    const struct identifiers *names, const struct auth_block **ret_block, size_t *ret_key,
    struct err *e);

/* Whether any block lets anybody revoke. */
bool policy_revokes(const struct policy *p);
