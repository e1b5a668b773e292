/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IP addresses and the ranges an operator writes: an address, CIDR, netmask
 * "A/M", or "A-B". IPv4-mapped IPv6 addresses count as IPv4 everywhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct ip_addr {
	uint8_t len; /* 4 or 16 */
	uint8_t bytes[16];
};

struct ip_range {
	struct ip_addr first; /* same len as last */
	struct ip_addr last;
};

enum { IP_ADDR_TEXT = 46 };

/* inet_pton's strict forms, no brackets, no scope id. */
bool ip_addr_parse(const char *text, size_t len, struct ip_addr *ret);
/* False for other families than AF_INET and AF_INET6. */
bool ip_addr_from_sockaddr(const struct sockaddr *sa, struct ip_addr *ret);
/* Canonical text (RFC 5952); returns out. */
const char *ip_addr_format(const struct ip_addr *addr, char out[IP_ADDR_TEXT]);
bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b);
/* Short forms and host bits below the prefix are errors that show the right spelling.
 * ERR_CONFIG. */
bool ip_range_parse(const char *text, struct ip_range *ret, struct err *e);
bool ip_range_contains(const struct ip_range *range, const struct ip_addr *addr);
