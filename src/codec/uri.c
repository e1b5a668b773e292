/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/uri.h"

#include <stdio.h>
#include <string.h>

#include "codec/ip.h"
#include "codec/text.h"

static bool
bad(const char *text, size_t len, const char *why, struct err *e)
{
	char quoted[TEXT_QUOTE_MAX];

	return err_set(
	    e, ERR_UPSTREAM, "\"%s\" is not a usable URL: %s", text_quote(text, len, quoted), why);
}

static bool
has_prefix(const char *text, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && text_equal_nocase(text, n, prefix);
}

/* Labels of letters, digits, hyphens and underscores; a number at the end would be read as an
 * address by the resolver, so it is no name. */
static bool
is_host_name(const char *p, size_t len)
{
	size_t label = 0;

	if (len == 0 || len > HOST_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '.' ? label == 0 : !text_is_alnum(p[i]) && p[i] != '-' && p[i] != '_')
			return false;
		label = p[i] == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0 && !text_all_digits(p + len - label, label);
}

static void
copy_lower(char *out, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = text_lower(p[i]);
	out[len] = '\0';
}

/* The host of an authority, which ends at *ret_rest. What is wrong, or NULL. */
static const char *
parse_host(const char *p, size_t len, struct uri *u, const char **ret_rest)
{
	const char *end = p + len, *close, *colon;
	struct ip_addr addr;

	if (len > 0 && *p == '[') {
		close = memchr(p, ']', len);
		if (close == NULL || close - p > HOST_MAX ||
		    memchr(p, ':', (size_t)(close - p)) == NULL ||
		    !ip_addr_parse(p + 1, (size_t)(close - p) - 1, &addr))
			return "in brackets only an IPv6 address can stand";
		copy_lower(u->host, p + 1, (size_t)(close - p) - 1);
		u->host_is_ip = true;
		*ret_rest = close + 1;
		return NULL;
	}
	colon = memchr(p, ':', len);
	if (colon == NULL)
		colon = end;
	len = (size_t)(colon - p);
	u->host_is_ip = ip_addr_parse(p, len, &addr);
	if (len == 0)
		return "it has no host";
	if (!u->host_is_ip && !is_host_name(p, len))
		return "its host is neither a name nor an address";
	copy_lower(u->host, p, len);
	*ret_rest = colon;
	return NULL;
}

static const char *
parse_authority(const char *p, size_t len, struct uri *u)
{
	const char *end = p + len, *rest, *fault;
	uint64_t port = u->https ? 443 : 80;

	if (memchr(p, '@', len) != NULL)
		return "a user name must not stand in it";
	fault = parse_host(p, len, u, &rest);
	if (fault != NULL)
		return fault;
	if (rest < end && *rest != ':')
		return "behind the host only a port can stand";
	/* RFC 3986 3.2.3: an empty port is the default one. */
	if (end - rest > 1 &&
	    (!text_parse_uint(rest + 1, (size_t)(end - rest) - 1, 65535, &port) || port == 0))
		return "its port is not a number from 1 to 65535";
	u->port = (uint16_t)port;
	return NULL;
}

static void
set_target(const char *p, size_t len, struct uri *u)
{
	const char *fragment = memchr(p, '#', len);
	char *out = u->target;

	if (fragment != NULL)
		len = (size_t)(fragment - p);
	if (len == 0 || *p != '/')
		*out++ = '/';
	memcpy(out, p, len);
	out[len] = '\0';
}

static size_t
authority_length(const char *p, size_t len)
{
	size_t n = 0;

	while (n < len && strchr("/?#", p[n]) == NULL)
		n++;
	return n;
}

bool
uri_parse(const char *text, size_t len, struct uri *ret, struct err *e)
{
	struct uri u = {0};
	const char *p, *fault;
	size_t n;

	/* One less than the target has room for, as it may get a slash in front. */
	if (len >= URI_MAX)
		return bad(text, len, "it is too long", e);
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f || text[i] == '\\')
			return bad(text, len, "it contains a character no URL may contain", e);
	u.https = has_prefix(text, len, "https://");
	if (!u.https && !has_prefix(text, len, "http://"))
		return bad(text, len, "it begins neither with https:// nor with http://", e);
	p = text + strlen(u.https ? "https://" : "http://");
	len -= (size_t)(p - text);
	n = authority_length(p, len);
	fault = parse_authority(p, n, &u);
	if (fault != NULL)
		return bad(text, (size_t)(p - text) + len, fault, e);
	set_target(p + n, len - n, &u);
	*ret = u;
	return true;
}

bool
uri_same_origin(const struct uri *a, const struct uri *b)
{
	return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

void
uri_host_header(const struct uri *u, char out[HOST_MAX + 16])
{
	bool v6 = strchr(u->host, ':') != NULL;
	int n = snprintf(out, HOST_MAX + 16, "%s%s%s", v6 ? "[" : "", u->host, v6 ? "]" : "");

	if (u->port != (u->https ? 443 : 80))
		snprintf(out + n, (size_t)(HOST_MAX + 16 - n), ":%u", u->port);
}

bool
uri_is_loopback(const struct uri *u)
{
	static const struct ip_addr v6 = {.len = 16, .bytes = {[15] = 1}};
	struct ip_addr addr;

	if (!ip_addr_parse(u->host, strlen(u->host), &addr))
		return strcmp(u->host, "localhost") == 0;
	return (addr.len == 4 && addr.bytes[0] == 127) || ip_addr_equal(&addr, &v6);
}
