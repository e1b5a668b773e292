/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "base/alloc.h"
#include "conn.h"

enum { BACKLOG = 4096, SHORT_PAUSE_MS = 100 };

struct server {
	struct server_conf conf;
	struct evconnlistener *listener;
	struct event *again; /* after running out of descriptors */
	struct conn_list conns;
	struct server_counts counts;
	char *address;
	uint64_t last_id;
};

static void
accepted(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *peer, int len, void *arg)
{
	struct server *s = arg;
	struct conn_owner owner = {.list = &s->conns,
	    .counts = &s->counts,
	    .base = s->conf.base,
	    .arg = s->conf.arg,
	    .handle = s->conf.handle,
	    .id = ++s->last_id};
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	s->counts.accepted++;
	conn_start(&owner, fd, s->conf.greet(s->conf.arg));
}

static void
listen_again(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	evconnlistener_enable(s->listener);
}

static void
cannot_accept(struct evconnlistener *l, void *arg)
{
	struct server *s = arg;
	struct timeval pause = {0, SHORT_PAUSE_MS * 1000};

	evconnlistener_disable(l);
	evtimer_add(s->again, &pause);
}

static char *
bound_address(evutil_socket_t fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char host[INET6_ADDRSTRLEN];

	getsockname(fd, (struct sockaddr *)&ss, &len);
	if (ss.ss_family == AF_INET6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;

		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		return xasprintf("[%s]:%d", host, ntohs(in6->sin6_port));
	}
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;

	inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
	return xasprintf("%s:%d", host, ntohs(in->sin_port));
}

/* The library's parser takes no port 0, hence the address alone. */
static bool
parse_address(const char *text, struct sockaddr_storage *ret, int *ret_len)
{
	const char *colon = strrchr(text, ':');
	char *host, *end;
	unsigned long port;
	bool good;

	if (colon == NULL)
		return false;
	port = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end != '\0' || port > UINT16_MAX)
		return false;
	host = xstrndup(text, (size_t)(colon - text));
	*ret_len = sizeof(*ret);
	good = evutil_parse_sockaddr_port(host, (struct sockaddr *)ret, ret_len) == 0;
	free(host);
	if (good && ret->ss_family == AF_INET6)
		((struct sockaddr_in6 *)ret)->sin6_port = htons((uint16_t)port);
	else if (good)
		((struct sockaddr_in *)ret)->sin_port = htons((uint16_t)port);
	return good;
}

static bool
listen_on(struct server *s, struct err *e)
{
	struct sockaddr_storage ss;
	int len;

	if (!parse_address(s->conf.address, &ss, &len))
		return err_set(
		    e, ERR_CONFIG, "%s is not of the form ADDRESS:PORT", s->conf.address);
	s->listener = evconnlistener_new_bind(s->conf.base, accepted, s,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
	    (struct sockaddr *)&ss, len);
	if (s->listener == NULL)
		return err_errno(e, ERR_CONFIG, errno, "cannot listen on %s", s->conf.address);
	evconnlistener_set_error_cb(s->listener, cannot_accept);
	s->address = bound_address(evconnlistener_get_fd(s->listener));
	return true;
}

struct server *
server_new(const struct server_conf *conf, struct err *e)
{
	struct server *s = xcalloc(1, sizeof(*s));

	s->conf = *conf;
	TAILQ_INIT(&s->conns);
	s->again = evtimer_new(conf->base, listen_again, s);
	if (!listen_on(s, e)) {
		server_free(s);
		return NULL;
	}
	return s;
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	if (s->listener != NULL)
		evconnlistener_free(s->listener);
	event_free(s->again);
	conn_list_clear(&s->conns);
	free(s->address);
	free(s);
}

const char *
server_address(const struct server *s)
{
	return s->address;
}

const struct server_counts *
server_counts(const struct server *s)
{
	return &s->counts;
}

void
server_reset_counts(struct server *s)
{
	s->counts = (struct server_counts){.open = s->counts.open};
}
