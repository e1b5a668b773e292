/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static void
set_addr(struct ip_addr *addr, const void *bytes, size_t len)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	memset(addr, 0, sizeof(*addr));
	if (len == 16 && memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		bytes = (const uint8_t *)bytes + sizeof(mapped);
		len = 4;
	}
	memcpy(addr->bytes, bytes, len);
	addr->len = (uint8_t)len;
}

bool
ip_addr_parse(const char *text, size_t len, struct ip_addr *ret)
{
	char copy[IP_ADDR_TEXT];
	uint8_t bytes[16];

	if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1)
		set_addr(ret, bytes, 4);
	else if (inet_pton(AF_INET6, copy, bytes) == 1)
		set_addr(ret, bytes, 16);
	else
		return false;
	return true;
}

bool
ip_addr_from_sockaddr(const struct sockaddr *sa, struct ip_addr *ret)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		set_addr(ret, &in.sin_addr, 4);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		set_addr(ret, &in6.sin6_addr, 16);
		return true;
	}
	return false;
}

/* inet_ntop would go by way of sprintf; this is done several times for each request. */
static const char *
format_v4(const uint8_t bytes[4], char out[IP_ADDR_TEXT])
{
	char *p = out;

	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*p++ = '.';
		if (bytes[i] >= 100)
			*p++ = (char)('0' + bytes[i] / 100);
		if (bytes[i] >= 10)
			*p++ = (char)('0' + bytes[i] / 10 % 10);
		*p++ = (char)('0' + bytes[i] % 10);
	}
	*p = '\0';
	return out;
}

const char *
ip_addr_format(const struct ip_addr *addr, char out[IP_ADDR_TEXT])
{
	if (addr->len == 4)
		return format_v4(addr->bytes, out);
	if (inet_ntop(AF_INET6, addr->bytes, out, IP_ADDR_TEXT) == NULL)
		out[0] = '\0';
	return out;
}

bool
ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool
ip_range_contains(const struct ip_range *range, const struct ip_addr *addr)
{
	return addr->len == range->first.len &&
	    memcmp(addr->bytes, range->first.bytes, addr->len) >= 0 &&
	    memcmp(addr->bytes, range->last.bytes, addr->len) <= 0;
}
