/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Name servers we ask: the lines "dns-server" and "resolver" of the
 * configuration, the resolvers of the system, and the authoritative servers of
 * a zone. Tried in the order of their list.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "codec/uri.h"

enum { DNS_PORT = 53, DNS_SERVERS_MAX = 64, DNS_SERVER_TEXT = 600 };

struct dns_server {
	struct host_port at; /* a name is looked up when it is used */
	/* A resolver: asked with RD, believed without AA. Otherwise authoritative: RD is clear and
	 * an answer without AA means that it does not serve the name (RFC 1035 4.1.1). */
	bool recursive;
	char
	    text[DNS_SERVER_TEXT]; /* for messages: "127.0.0.1:53", "ns1.example.org (192.0.2.1)" */
};

struct dns_servers {
	struct dns_server *items; /* owned */
	size_t count;
};

/* HOST, HOST:PORT, [V6]:PORT, V6. ERR_CONFIG. */
bool dns_servers_add(struct dns_servers *to, const char *spec, bool recursive, struct err *e);
/* Beyond DNS_SERVERS_MAX nothing is added. */
void dns_servers_append(struct dns_servers *to, const struct dns_server *server);
void dns_servers_append_at(struct dns_servers *to, const struct host_port *at, bool recursive);
void dns_servers_join(struct dns_servers *to, const struct dns_servers *from);
void dns_servers_done(struct dns_servers *s);

/* The "nameserver" lines of a resolv.conf(5); none, or no such file: 127.0.0.1, as libc does. At
 * most three count, as there. */
void dns_servers_system(struct dns_servers *to, const char *path);
/* The same from the file's text, for tests. */
void dns_servers_resolvconf(struct dns_servers *to, const char *text);
