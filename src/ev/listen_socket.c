/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/listen_socket.h"

#include <errno.h>
#include <fcntl.h>
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

unsigned
listen_port(const struct listen_address *a)
{
	switch (a->sa.ss_family) {
	case AF_INET:
		return ntohs(((const struct sockaddr_in *)&a->sa)->sin_port);
	case AF_INET6:
		return ntohs(((const struct sockaddr_in6 *)&a->sa)->sin6_port);
	default:
		return 0;
	}
}

/* Not the configuration's fault: starting again later may do. */
static bool
in_use(const struct listen_address *a, const char *how, struct err *e)
{
	return err_set(e, ERR_INTERNAL,
	    "%s%s: something listens there already: another process, or another block of ours",
	    a->text, how);
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
		return in_use(a, "", e);
	if (unlink(un->sun_path) != 0)
		return err_errno(
		    e, ERR_CONFIG, errno, "%s: cannot remove the stale socket", a->text);
	return true;
}

static void
set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

/* Inherited by the connections: two small writes do not wait for each other. */
static void
set_no_delay(int fd, int family, int type)
{
	if (type == SOCK_STREAM && family != AF_UNIX)
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void
listen_socket_share(int fd, bool on)
{
	set(fd, SOL_SOCKET, SO_REUSEPORT, on);
}

void
listen_socket_prepare(int fd, int family, int type)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	set_no_delay(fd, family, type);
}

static int
bound_socket(const struct listen_address *a, int type, bool share)
{
	int family = a->sa.ss_family;
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	/* For datagrams it would let two processes have one address. */
	if (family != AF_UNIX && type == SOCK_STREAM)
		set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (share)
		listen_socket_share(fd, true);
	set_no_delay(fd, family, type);
	if (bind(fd, (const struct sockaddr *)&a->sa, a->len) != 0 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) != 0)) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static bool
bind_failed(const struct listen_address *a, int type, int error, bool *ret_no_family, struct err *e)
{
	const char *how = type == SOCK_DGRAM ? " (UDP)" : "";

	if (ret_no_family != NULL)
		*ret_no_family = family_missing(a, error);
	if (error == EADDRINUSE)
		return in_use(a, how, e);
	if (error == EACCES && a->sa.ss_family != AF_UNIX) {
		return err_set(e, ERR_CONFIG,
		    "%s%s: a port below 1024 needs root or the capability CAP_NET_BIND_SERVICE",
		    a->text, how);
	}
	/* An address the machine does not have may come later, with its network. */
	return err_errno(e, error == EADDRNOTAVAIL ? ERR_INTERNAL : ERR_CONFIG, error,
	    "cannot listen on %s%s", a->text, how);
}

int
listen_socket(
    const struct listen_address *a, int type, bool share, bool *ret_no_family, struct err *e)
{
	int fd;

	if (a->sa.ss_family == AF_UNIX && !remove_stale_socket(a, e))
		return -1;
	fd = bound_socket(a, type, share);
	if (fd < 0)
		bind_failed(a, type, errno, ret_no_family, e);
	return fd;
}
