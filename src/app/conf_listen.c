/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/conf_listen.h"

#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "app/conf_value.h"
#include "codec/ip.h"
#include "codec/uri.h"

#define UNIX_PREFIX "unix:"

static bool
is_unix(const char *text)
{
	return strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
}

static bool
check_unix(const char *text, bool unix_too, struct err *e)
{
	const char *path = text + strlen(UNIX_PREFIX);

	if (!unix_too)
		return err_set(e, ERR_CONFIG, "\"%s\": a unix socket is not possible here", text);
	if (path[0] != '/')
		return err_set(
		    e, ERR_CONFIG, "\"%s\": the path of a unix socket begins with /", text);
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(
		    e, ERR_CONFIG, "\"%s\": the path is too long for a unix socket", text);
	return true;
}

bool
conf_listener_check(const char *text, bool unix_too, struct err *e)
{
	struct host_port hp;

	if (is_unix(text))
		return check_unix(text, unix_too, e);
	return host_port_parse(text, 0, &hp, e);
}

/* Of the addresses a name has only those of localhost are known without asking. */
static bool
host_is(const char *host, const char *family)
{
	bool v6 = strchr(host, ':') != NULL;
	struct ip_addr ip;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (strcmp(family, "::") == 0)
		return v6;
	return !v6 && ip_addr_parse(host, strlen(host), &ip);
}

static bool
same_address(const char *a, const char *b)
{
	struct ip_addr x, y;

	return ip_addr_parse(a, strlen(a), &x) && ip_addr_parse(b, strlen(b), &y) &&
	    x.len == y.len && ip_addr_equal(&x, &y);
}

static bool
host_covers(const char *wide, const char *host)
{
	static const char *const wildcards[] = {"0.0.0.0", "::"};

	if (strcasecmp(wide, host) == 0 || same_address(wide, host))
		return true;
	if (strcasecmp(wide, "localhost") == 0)
		return same_address(host, "127.0.0.1") || same_address(host, "::1");
	for (size_t i = 0; i < sizeof(wildcards) / sizeof(wildcards[0]); i++)
		if (same_address(wide, wildcards[i]) && host_is(host, wildcards[i]))
			return true;
	return false;
}

bool
conf_listener_covers(const char *text, const char *other)
{
	struct host_port a, b;

	if (strcmp(text, other) == 0)
		return true;
	if (is_unix(text) || is_unix(other) || !host_port_parse(text, 0, &a, NULL) ||
	    !host_port_parse(other, 0, &b, NULL) || a.port != b.port)
		return false;
	return host_covers(a.host, b.host);
}

static bool
is_repeated(char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

char **
conf_listeners(struct conf_build *b, const struct conf_section *s, const char *kind,
    const char *type, bool unix_too, size_t *ret_count, bool *ret_default)
{
	size_t n;
	struct conf_entry *in = conf_list(b, s, kind, type, "listener", &n, ret_default);
	char **list = conf_keep(b->conf, n, sizeof(*list));
	struct err e;

	if (n > CONF_LISTENERS_MAX) {
		conf_error(
		    b, in[CONF_LISTENERS_MAX].place, "more than %d listeners", CONF_LISTENERS_MAX);
		n = CONF_LISTENERS_MAX;
	}
	*ret_count = 0;
	for (size_t i = 0; i < n; i++) {
		if (!conf_listener_check(in[i].value, unix_too, &e))
			conf_error(b, in[i].place, "listener: %s", e.detail);
		else if (is_repeated(list, *ret_count, in[i].value))
			conf_warn(b, in[i].place, "listener %s is given twice", in[i].value);
		else
			list[(*ret_count)++] = conf_keep_text(b->conf, in[i].value);
	}
	return list;
}
