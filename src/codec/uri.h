/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The URIs an ACME server hands out (RFC 3986, http and https only) and the
 * HOST:PORT an operator writes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { URI_MAX = 2048, HOST_MAX = 255 };

struct uri {
	bool https;
	bool host_is_ip;
	uint16_t port;            /* never 0; 80 or 443 if not given */
	char host[HOST_MAX + 1];  /* lower case; IPv6 without brackets */
	char target[URI_MAX + 1]; /* path and query, begins with "/"; the fragment is dropped */
};

/* Refused: other schemes, userinfo, empty host, port 0, control characters and spaces, anything
 * over URI_MAX. ERR_UPSTREAM. */
bool uri_parse(const char *text, size_t len, struct uri *ret, struct err *e);
/* Same scheme, host and port. */
bool uri_same_origin(const struct uri *a, const struct uri *b);
/* host, [v6] and :port unless it is the scheme's default: what a Host header carries. */
void uri_host_header(const struct uri *u, char out[HOST_MAX + 16]);
/* localhost, 127.0.0.0/8 or ::1. */
bool uri_is_loopback(const struct uri *u);

struct host_port {
	char host[HOST_MAX + 1]; /* without brackets; a scope id (%eth0) stays */
	uint16_t port;
};

/* The last colon separates; brackets optional. With default_port > 0 the port may be left out and
 * a bare IPv6 address has none; with 0 it is required.
 * Port 0 is refused. ERR_CONFIG. */
bool host_port_parse(const char *text, uint16_t default_port, struct host_port *ret, struct err *e);
