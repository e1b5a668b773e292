/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "codec/uri.h"
#include "ev/listener.h"

static const char unix_prefix[] = "unix:";

static bool
unix_address(const char *spec, struct listen_address **ret, size_t *ret_count, struct err *e)
{
	const char *path = spec + sizeof(unix_prefix) - 1;
	struct listen_address *a;
	struct sockaddr_un *un;

	if (path[0] != '/')
		return err_set(e, ERR_CONFIG, "%s: the path of a unix socket begins with /", spec);
	if (strlen(path) >= sizeof(un->sun_path)) {
		return err_set(e, ERR_CONFIG, "%s: the path of a unix socket has at most %zu bytes",
		    spec, sizeof(un->sun_path) - 1);
	}
	a = xcalloc(1, sizeof(*a));
	un = (struct sockaddr_un *)&a->sa;
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, path);
	a->len = sizeof(*un);
	snprintf(a->text, sizeof(a->text), "%s%s", unix_prefix, path);
	*ret = a;
	*ret_count = 1;
	return true;
}

void
listen_address_set(struct listen_address *a, const struct sockaddr_storage *sa, socklen_t len)
{
	char host[NI_MAXHOST];
	char port[NI_MAXSERV];

	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->sa;

	memset(a, 0, sizeof(*a));
	memcpy(&a->sa, sa, len);
	a->len = len;
	if (a->sa.ss_family == AF_UNIX && un->sun_path[0] == '/')
		snprintf(a->text, sizeof(a->text), "%s%s", unix_prefix, un->sun_path);
	if (a->sa.ss_family != AF_INET && a->sa.ss_family != AF_INET6)
		return;
	if (getnameinfo((struct sockaddr *)&a->sa, a->len, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	if (a->sa.ss_family == AF_INET6)
		snprintf(a->text, sizeof(a->text), "[%.100s]:%.8s", host, port);
	else
		snprintf(a->text, sizeof(a->text), "%.100s:%.8s", host, port);
}

static bool
known(const struct listen_address *list, size_t count, const struct addrinfo *ai)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].len == ai->ai_addrlen &&
		    memcmp(&list[i].sa, ai->ai_addr, ai->ai_addrlen) == 0)
			return true;
	}
	return false;
}

static bool
tcp_addresses(const char *spec, struct listen_address **ret, size_t *ret_count, struct err *e)
{
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct listen_address *list = NULL;
	struct addrinfo *found;
	struct host_port hp;
	char port[8];
	size_t n = 0;
	int r;

	if (!host_port_parse(spec, 0, &hp, e))
		return false;
	snprintf(port, sizeof(port), "%u", hp.port);
	r = getaddrinfo(hp.host, port, &hints, &found);
	if (r != 0)
		return err_set(e, ERR_CONFIG, "%s: %s", spec, gai_strerror(r));
	for (const struct addrinfo *ai = found; ai != NULL; ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(list->sa) || known(list, n, ai))
			continue;
		list = xreallocarray(list, n + 1, sizeof(*list));
		listen_address_set(
		    &list[n++], (const struct sockaddr_storage *)ai->ai_addr, ai->ai_addrlen);
	}
	freeaddrinfo(found);
	*ret = list;
	*ret_count = n;
	return true;
}

bool
listen_addresses(const char *spec, struct listen_address **ret, size_t *ret_count, struct err *e)
{
	if (strncmp(spec, unix_prefix, sizeof(unix_prefix) - 1) == 0)
		return unix_address(spec, ret, ret_count, e);
	return tcp_addresses(spec, ret, ret_count, e);
}
