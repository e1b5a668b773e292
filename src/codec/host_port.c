/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HOST:PORT as an operator writes it. Part of codec/uri.h. */
#include <string.h>

#include "codec/ip.h"
#include "codec/text.h"
#include "codec/uri.h"

static bool
bad(const char *text, const char *why, struct err *e)
{
	char quoted[TEXT_QUOTE_MAX];

	return err_set(e, ERR_CONFIG, "\"%s\": %s", text_quote(text, strlen(text), quoted), why);
}

/* An IPv6 address, with or without a scope id. */
static bool
is_v6(const char *p, size_t len)
{
	const char *percent = memchr(p, '%', len);
	size_t n = percent != NULL ? (size_t)(percent - p) : len;
	struct ip_addr addr;

	if (percent != NULL) {
		if (n + 1 == len)
			return false;
		for (size_t i = n + 1; i < len; i++)
			if (!text_is_alnum(p[i]) && strchr("._-", p[i]) == NULL)
				return false;
	}
	return memchr(p, ':', n) != NULL && ip_addr_parse(p, n, &addr);
}

/* A name or an IPv4 address; the resolver knows the rest. */
static bool
is_name(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!text_is_alnum(p[i]) && strchr("._-", p[i]) == NULL)
			return false;
	return len > 0;
}

/* Splits text into host and port, which is NULL if there is none. False: broken brackets. */
static bool
split(const char *text, bool port_required, const char **ret_host, size_t *ret_len,
    const char **ret_port)
{
	const char *colon = strrchr(text, ':');
	const char *close;

	*ret_host = text;
	*ret_len = strlen(text);
	*ret_port = NULL;
	if (*text == '[') {
		close = strchr(text, ']');
		if (close == NULL || (close[1] != '\0' && close[1] != ':'))
			return false;
		*ret_host = text + 1;
		*ret_len = (size_t)(close - text) - 1;
		*ret_port = close[1] == ':' ? close + 2 : NULL;
	} else if (colon != NULL && (port_required || !is_v6(text, strlen(text)))) {
		*ret_len = (size_t)(colon - text);
		*ret_port = colon + 1;
	}
	return true;
}

bool
host_port_parse(const char *text, uint16_t default_port, struct host_port *ret, struct err *e)
{
	const char *host, *port;
	uint64_t number = default_port;
	size_t len;

	if (!split(text, default_port == 0, &host, &len, &port))
		return bad(text, "the bracket must close before the port, as in [::1]:1313", e);
	if (port == NULL && default_port == 0)
		return bad(text, "the port is missing: write HOST:PORT", e);
	if (port != NULL && (!text_parse_uint(port, strlen(port), 65535, &number) || number == 0))
		return bad(text, "the port must be a number from 1 to 65535", e);
	if (len == 0)
		return bad(text, "the host is missing; for all addresses write 0.0.0.0 or [::]", e);
	if (len > HOST_MAX || (!is_v6(host, len) && !is_name(host, len)))
		return bad(text, "the host is neither a name nor an address", e);
	memcpy(ret->host, host, len);
	ret->host[len] = '\0';
	ret->port = (uint16_t)number;
	return true;
}
