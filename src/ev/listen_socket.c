/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/listen_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static bool
family_missing(const struct listen_address *a, int error)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->sa;

	if (error == EAFNOSUPPORT || error == EPROTONOSUPPORT)
		return true;
	/* IPv6 compiled in but switched off: the addresses every machine has are missing. */
	return a->sa.ss_family == AF_INET6 && error == EADDRNOTAVAIL &&
	    (IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr));
}

/* Not the configuration's fault: starting again later may do. */
static bool
in_use(const struct listen_address *a, struct err *e)
{
	return err_set(e, ERR_INTERNAL,
	    "%s: something listens there already: another process, or another block of ours",
	    a->text);
}

/* A socket file nobody listens on is left from a crash. False if someone listens, or if it is no
 * socket at all. */
static bool
remove_stale_socket(const struct listen_address *a, struct err *e)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->sa;
	struct stat st;
	int fd;
	int r;

	if (lstat(un->sun_path, &st) != 0)
		return true;
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFIG, "%s: there is a file that is no socket", a->text);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(e, ERR_CONFIG, errno, "%s", a->text);
	r = connect(fd, (const struct sockaddr *)un, a->len) == 0 ? 0 : errno;
	close(fd);
	if (r != ECONNREFUSED)
		return in_use(a, e);
	if (unlink(un->sun_path) != 0)
		return err_errno(
		    e, ERR_CONFIG, errno, "%s: cannot remove the stale socket", a->text);
	return true;
}

static int
bound_socket(const struct listen_address *a)
{
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;

	if (fd < 0)
		return -1;
	if (a->sa.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (a->sa.ss_family != AF_UNIX) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		/* Inherited by the connections: two small writes do not wait for each other. */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
	if (bind(fd, (const struct sockaddr *)&a->sa, a->len) != 0 || listen(fd, BACKLOG) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static bool
bind_failed(const struct listen_address *a, int error, bool *ret_no_family, struct err *e)
{
	if (ret_no_family != NULL)
		*ret_no_family = family_missing(a, error);
	if (error == EADDRINUSE)
		return in_use(a, e);
	if (error == EACCES && a->sa.ss_family != AF_UNIX) {
		return err_set(e, ERR_CONFIG,
		    "%s: a port below 1024 needs root or the capability CAP_NET_BIND_SERVICE",
		    a->text);
	}
	/* An address the machine does not have may come later, with its network. */
	return err_errno(e, error == EADDRNOTAVAIL ? ERR_INTERNAL : ERR_CONFIG, error,
	    "cannot listen on %s", a->text);
}

int
listen_socket(const struct listen_address *a, bool *ret_no_family, struct err *e)
{
	int fd;

	if (ret_no_family != NULL)
		*ret_no_family = false;
	if (a->sa.ss_family == AF_UNIX && !remove_stale_socket(a, e))
		return -1;
	fd = bound_socket(a);
	if (fd < 0)
		bind_failed(a, errno, ret_no_family, e);
	return fd;
}
