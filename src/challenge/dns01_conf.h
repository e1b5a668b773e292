/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the configuration says about the dns01 kinds: parsed and checked, owned by whoever made it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/ip.h"
#include "codec/uri.h"

/* RFC 8945. name NULL: no TSIG. */
struct challenge_tsig_conf {
	char *name;      /* lower case, no trailing dot */
	char *algorithm; /* "hmac-sha256" */
	uint8_t *secret;
	size_t secret_len;
};

/* dns01-dnsUpdate: RFC 2136 */
struct challenge_dns01_update_conf {
	struct host_port *dns_servers; /* tried in order; at least one */
	size_t dns_server_count;
	size_t ttl; /* of the TXT record, in seconds */
	int64_t timeout_s;
	struct challenge_tsig_conf tsig;
	char *zone;                  /* NULL: found by SOA; lower case, no trailing dot */
	struct host_port *resolvers; /* addresses; none: the system's */
	size_t resolver_count;
	bool follow_cname;
	bool propagation_check;
	int64_t propagation_timeout_s;
};

/* dns01-server: the built-in responder */
struct challenge_dns01_server_conf {
	char **listeners; /* HOST:PORT as written, for UDP and TCP */
	size_t listener_count;
	bool default_listeners; /* nothing was configured: a family the machine lacks is skipped */
	char *zone;             /* NULL: any name */
	char *ns;               /* or NULL */
	bool has_record;
	struct ip_addr record; /* answered for A or AAAA */
};

/* dns01-challtestsrv */
struct challenge_challtestsrv_conf {
	char *set_txt_url; /* http or https, checked */
};
