/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/health.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/conf.h"
#include "app/program.h"
#include "base/cleanup.h"
#include "ev/listener.h"

enum {
	TIME_S = 5, /* for all of it, also the look-up of a name */
	ANSWER_MAX = 64,
};

static const char request[] = "GET /healthz HTTP/1.0\r\n\r\n";

/* ---- one address ---- */

static void
avoid_wildcard(struct listen_address *a)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&a->sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->sa;

	if (a->sa.ss_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_ANY))
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (a->sa.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
		in6->sin6_addr = in6addr_loopback;
}

/* The status line is all that is of interest; "HTTP/1.1 200". */
static bool
is_alive(const char *answer)
{
	return strncmp(answer, "HTTP/1.", 7) == 0 && strlen(answer) > 12 &&
	    strncmp(answer + 8, " 200 ", 5) == 0;
}

static bool
read_answer(int fd, char answer[ANSWER_MAX])
{
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len + 1 < ANSWER_MAX) {
		n = recv(fd, answer + len, ANSWER_MAX - 1 - len, 0);
		len += n > 0 ? (size_t)n : 0;
	}
	answer[len] = '\0';
	return n >= 0;
}

static bool
ask(const struct listen_address *a, struct err *e)
{
	CLEANUP_FD int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[ANSWER_MAX];

	if (fd < 0 || connect(fd, (const struct sockaddr *)&a->sa, a->len) != 0 ||
	    send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request) ||
	    !read_answer(fd, answer))
		return err_errno(e, ERR_UNREACHABLE, errno, "%s", a->text);
	if (!is_alive(answer))
		return err_set(e, ERR_UPSTREAM, "%s: no healthy answer", a->text);
	return true;
}

/* ---- all of it ---- */

/* Whatever blocks: a look-up, a connection, an answer. */
static void
time_over(int signo)
{
	static const char text[] = "acmems: no answer in time\n";

	(void)signo;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(EXIT_RUNTIME);
	_exit(EXIT_RUNTIME);
}

/* A name stands for several addresses. */
static bool
ask_listener(const char *spec, struct err *e)
{
	struct listen_address *addrs = NULL;
	size_t n = 0;
	bool alive = false;

	if (!listen_addresses(spec, &addrs, &n, e))
		return false;
	for (size_t i = 0; i < n && !alive; i++) {
		avoid_wildcard(&addrs[i]);
		alive = ask(&addrs[i], e);
	}
	free(addrs);
	return alive;
}

bool
health_ask(const struct conf *conf, struct err *e)
{
	const struct mgmt_conf *mgmt = &conf->mgmt;
	bool alive = false;

	signal(SIGALRM, time_over);
	alarm(TIME_S);
	if (mgmt->listener_count == 0 && conf->status_listener_count == 0)
		err_set(e, ERR_CONFIG, "there is no listener to ask");
	else if (mgmt->listener_count == 0)
		alive = ask_listener(conf->status_listeners[0], e);
	else
		alive = ask_listener(mgmt->listeners[0], e);
	/* Of the defaults one may have been left out, for want of its address family. */
	for (size_t i = 1; !alive && mgmt->default_listeners && i < mgmt->listener_count; i++)
		alive = ask_listener(mgmt->listeners[i], e);
	alarm(0);
	return alive;
}
