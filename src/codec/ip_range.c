/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ranges an operator writes. Part of codec/ip.h; a file of its own for its messages. */
#include <stdio.h>
#include <string.h>

#include "codec/ip.h"
#include "codec/text.h"

/* All addresses that share the first prefix bits with addr. */
static void
apply_prefix(struct ip_range *range, const struct ip_addr *addr, unsigned prefix)
{
	unsigned bits;
	uint8_t mask;

	range->first = *addr;
	range->last = *addr;
	for (unsigned i = 0; i < addr->len; i++) {
		bits = prefix > 8 * i ? prefix - 8 * i : 0;
		mask = (uint8_t)(0xff00u >> (bits < 8 ? bits : 8));
		range->first.bytes[i] &= mask;
		range->last.bytes[i] |= (uint8_t)~mask;
	}
}

/* The prefix length a netmask stands for, or -1 if its ones are not all in front. */
static int
mask_to_prefix(const struct ip_addr *mask)
{
	unsigned bits = 8u * mask->len, n = 0;

	while (n < bits && (mask->bytes[n / 8] >> (7 - n % 8) & 1))
		n++;
	for (unsigned i = n; i < bits; i++)
		if (mask->bytes[i / 8] >> (7 - i % 8) & 1)
			return -1;
	return (int)n;
}

/* "10", "192.168" and so on: what they would be in full, with the prefix their length suggests. */
static bool
complete_short_form(const char *p, size_t len, char out[IP_ADDR_TEXT], unsigned *ret_prefix)
{
	struct ip_addr addr;
	unsigned dots = 0;

	if (len == 0 || len > 15)
		return false;
	for (size_t i = 0; i < len; i++)
		dots += p[i] == '.';
	if (p[len - 1] == '.') {
		len--;
		dots--;
	}
	if (dots > 2)
		return false;
	snprintf(out, IP_ADDR_TEXT, "%.*s%s", (int)len, p, &".0.0.0"[2 * dots]);
	*ret_prefix = 8 * (dots + 1);
	return ip_addr_parse(out, strlen(out), &addr);
}

static bool
bad_address(const char *text, const char *p, size_t len, const char *after, struct err *e)
{
	char full[IP_ADDR_TEXT], quoted[TEXT_QUOTE_MAX];
	unsigned prefix;

	text_quote(text, strlen(text), quoted);
	if (!complete_short_form(p, len, full, &prefix))
		return err_set(e, ERR_CONFIG, "\"%s\" is not an IP address or range", quoted);
	if (*after != '\0')
		return err_set(
		    e, ERR_CONFIG, "\"%s\" is a short form: write %s%s", quoted, full, after);
	return err_set(e, ERR_CONFIG, "\"%s\" is a short form: write %s/%u", quoted, full, prefix);
}

static bool
parse_dash(const char *text, const char *dash, struct ip_range *ret, struct err *e)
{
	const char *a = text, *b = dash + 1;
	size_t a_len = (size_t)(dash - text), b_len = strlen(b);
	char quoted[TEXT_QUOTE_MAX];
	struct ip_range range;

	text_quote(text, strlen(text), quoted);
	text_trim(&a, &a_len);
	text_trim(&b, &b_len);
	if (!ip_addr_parse(a, a_len, &range.first) || !ip_addr_parse(b, b_len, &range.last))
		return err_set(e, ERR_CONFIG,
		    "\"%s\" is not an IP range: write both addresses in full, as in "
		    "192.0.2.10-192.0.2.20",
		    quoted);
	if (range.first.len != range.last.len)
		return err_set(e, ERR_CONFIG, "\"%s\" mixes IPv4 and IPv6", quoted);
	if (memcmp(range.first.bytes, range.last.bytes, range.first.len) > 0)
		return err_set(e, ERR_CONFIG,
		    "\"%s\" ends before it begins: write the smaller address first", quoted);
	*ret = range;
	return true;
}

/* What stands behind the slash, as a prefix length of addr; -1 if it is neither that nor a mask. */
static int
parse_prefix(const char *text, const struct ip_addr *addr, bool mapped)
{
	size_t len = strlen(text);
	struct ip_addr mask;
	uint64_t n;

	if (text_all_digits(text, len)) {
		if (!text_parse_uint(text, len, mapped ? 128 : 8u * addr->len, &n))
			return -1;
		/* ::ffff:192.0.2.0/120 is 192.0.2.0/24 */
		return mapped ? (int)n - 96 : (int)n;
	}
	if (!ip_addr_parse(text, len, &mask) || mask.len != addr->len)
		return -1;
	return mask_to_prefix(&mask);
}

static bool
parse_slash(const char *text, const char *slash, struct ip_range *ret, struct err *e)
{
	size_t len = (size_t)(slash - text);
	char quoted[TEXT_QUOTE_MAX], right[IP_ADDR_TEXT];
	struct ip_range range;
	struct ip_addr addr;
	int prefix;

	text_quote(text, strlen(text), quoted);
	if (!ip_addr_parse(text, len, &addr))
		return bad_address(text, text, len, slash, e);
	prefix = parse_prefix(slash + 1, &addr, addr.len == 4 && memchr(text, ':', len) != NULL);
	if (prefix < 0)
		return err_set(e, ERR_CONFIG,
		    "\"%s\": behind the slash stands neither a prefix length (0 to %u) nor a "
		    "netmask",
		    quoted, 8u * addr.len);
	apply_prefix(&range, &addr, (unsigned)prefix);
	if (!ip_addr_equal(&range.first, &addr))
		return err_set(e, ERR_CONFIG,
		    "\"%s\" has bits set below its prefix: write %s%s for the network, or the "
		    "address "
		    "alone",
		    quoted, ip_addr_format(&range.first, right), slash);
	*ret = range;
	return true;
}

bool
ip_range_parse(const char *text, struct ip_range *ret, struct err *e)
{
	const char *separator;
	struct ip_addr addr;

	separator = strchr(text, '-');
	if (separator != NULL)
		return parse_dash(text, separator, ret, e);
	separator = strchr(text, '/');
	if (separator != NULL)
		return parse_slash(text, separator, ret, e);
	if (!ip_addr_parse(text, strlen(text), &addr))
		return bad_address(text, text, strlen(text), "", e);
	ret->first = addr;
	ret->last = addr;
	return true;
}
