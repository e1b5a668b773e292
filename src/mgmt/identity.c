/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/server.h"

/* More than any sane chain of proxies; a longer header counts as malformed. */
enum { FORWARDED_MAX = 4096 };

static bool
is_trusted(const struct proxy_trust *trust, const struct ip_addr *addr)
{
	for (size_t i = 0; i < trust->range_count; i++)
		if (ip_range_contains(&trust->ranges[i], addr))
			return true;
	return false;
}

/* Nothing, or a colon and a port. */
static bool
is_port(const char *text, size_t len)
{
	char copy[8] = "";

	if (len == 0)
		return true;
	if (len < 2 || len >= sizeof(copy) - 1 || text[0] != ':')
		return false;
	memcpy(copy, text + 1, len - 1);
	return strspn(copy, "0123456789") == len - 1 && strtoul(copy, NULL, 10) <= 65535;
}

/* One element of a forwarding header: an address, maybe bracketed, maybe with a port. */
static bool
parse_element(const char *text, size_t len, struct ip_addr *ret)
{
	while (len > 0 && (text[0] == ' ' || text[0] == '\t')) {
		text++;
		len--;
	}
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (len > 0 && text[0] == '[') {
		const char *end = memchr(text, ']', len);
		return end != NULL && is_port(end + 1, len - (size_t)(end + 1 - text)) &&
		    ip_addr_parse(text + 1, (size_t)(end - text) - 1, ret);
	}
	const char *colon = memchr(text, ':', len);
	if (colon == NULL || memchr(colon + 1, ':', len - (size_t)(colon + 1 - text)) != NULL)
		return ip_addr_parse(text, len, ret);
	return is_port(colon, len - (size_t)(colon - text)) &&
	    ip_addr_parse(text, (size_t)(colon - text), ret);
}

/*
 * From the right, skipping what is trusted: everything left of the first
 * untrusted address may be forged. If all are trusted the leftmost is the client.
 */
static bool
walk_forwarded(const char *list, const struct proxy_trust *trust, struct ip_addr *ret)
{
	size_t end = strlen(list);

	for (;;) {
		size_t begin = end;
		while (begin > 0 && list[begin - 1] != ',')
			begin--;
		if (!parse_element(list + begin, end - begin, ret))
			return false;
		if (!is_trusted(trust, ret) || begin == 0)
			return true;
		end = begin - 1;
	}
}

static bool
header_is_list(const struct proxy_trust *trust)
{
	return strcasecmp(trust->header, "X-Forwarded-For") == 0;
}

static bool
find_client(const char *forwarded, const struct proxy_trust *trust, struct ip_addr *ret)
{
	if (forwarded == NULL)
		return false;
	if (header_is_list(trust))
		return walk_forwarded(forwarded, trust, ret);
	return parse_element(forwarded, strlen(forwarded), ret);
}

void
identity_resolve(const struct ip_addr *peer, const char *forwarded, const struct proxy_trust *trust,
    struct peer_identity *ret)
{
	char peer_text[IP_ADDR_TEXT] = "unix";
	char client_text[IP_ADDR_TEXT] = "unknown";

	memset(ret, 0, sizeof(*ret));
	ret->client.text = ret->text;
	if (peer != NULL)
		ip_addr_format(peer, peer_text);
	if (peer != NULL ? !is_trusted(trust, peer) : !trust->trust_unix) {
		ret->client.has_addr = peer != NULL;
		if (peer != NULL)
			ret->client.addr = *peer;
		snprintf(ret->text, sizeof(ret->text), "%s", peer_text);
		return;
	}
	ret->client.has_addr = find_client(forwarded, trust, &ret->client.addr);
	if (ret->client.has_addr)
		ip_addr_format(&ret->client.addr, client_text);
	snprintf(ret->text, sizeof(ret->text), "%s via %s", client_text, peer_text);
}

static void
join(const char *value, void *arg)
{
	struct buf *b = arg;

	if (b->len > 0)
		buf_adds(b, ",");
	buf_adds(b, value);
}

void
identity_of(
    const struct http_exchange *x, const struct proxy_trust *trust, struct peer_identity *ret)
{
	struct ip_addr peer;
	struct buf joined;

	buf_init(&joined, FORWARDED_MAX);
	http_exchange_headers(x, trust->header, join, &joined);
	bool has_peer = ip_addr_from_sockaddr(http_exchange_peer(x), &peer);
	bool usable = joined.len > 0 && !buf_failed(&joined);
	identity_resolve(has_peer ? &peer : NULL, usable ? joined.data : NULL, trust, ret);
	buf_done(&joined);
}
