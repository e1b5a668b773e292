/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who asks: the peer's address, or what a trusted proxy says of it.
 *
 * Only from a trusted peer, only the configured header is read. X-Forwarded-For
 * lines are joined and walked from the right to the first address that is not
 * trusted itself. What is missing or malformed there never satisfies "ip".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "codec/ip.h"
#include "issue/policy.h"

struct http_exchange;

struct proxy_trust {
	const struct ip_range *ranges;
	size_t range_count;
	bool trust_unix;
	const char *header; /* "X-Forwarded-For" (a list) or "X-Real-IP" (one address) */
};

enum { IDENTITY_TEXT = 2 * IP_ADDR_TEXT + 16 };

/* An identity together with the text its member points to. */
struct peer_identity {
	struct client_identity client;
	char text[IDENTITY_TEXT];
};

void identity_of(
    const struct http_exchange *x, const struct proxy_trust *trust, struct peer_identity *ret);

/* The part without HTTP: peer NULL is a unix socket; forwarded NULL: no such header. */
void identity_resolve(const struct ip_addr *peer, const char *forwarded,
    const struct proxy_trust *trust, struct peer_identity *ret);
