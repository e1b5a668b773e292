/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One domain value of an auth block (acmems.conf(5)), prepared for matching: a glob as
 * fnmatch(3) without flags, for DNS names only, or an address or CIDR, for IP
 * addresses only. Most values are no real globs; those need no fnmatch, so that
 * ten thousand blocks stay quick.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "codec/identifier.h"
#include "codec/ip.h"

enum pattern_kind {
	PATTERN_EXACT,  /* no special character */
	PATTERN_SUFFIX, /* "*" and then no special character */
	PATTERN_GLOB,
	PATTERN_IP,
};

struct pattern {
	enum pattern_kind kind;
	char *text; /* owned, lower case; without the "*" of a suffix */
	size_t len;
	struct ip_range range;
};

void pattern_init(struct pattern *p, const char *text);
void pattern_done(struct pattern *p);
bool pattern_matches(const struct pattern *p, const struct identifier *id);
