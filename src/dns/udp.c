/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ev/io.h"
#include "ev/loop.h"

enum {
	DATAGRAM_MAX = 4096, /* more than we announce; what is longer is cut and will not parse */
	BURST_MAX = 16,      /* datagrams a turn: a flood must not hold the loop */
};

struct dns_udp {
	struct loop *loop;
	struct io *io; /* NULL: freed, waiting for the end of the turn */
	int fd;
	dns_udp_fn *fn;
	void *arg;
};

static bool
passing(int error)
{
	return error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM;
}

static void
readable(void *arg)
{
	struct dns_udp *u = arg;
	uint8_t data[DATAGRAM_MAX];
	struct err e;

	for (int i = 0; i < BURST_MAX && u->io != NULL; i++) {
		ssize_t n = recv(u->fd, data, sizeof(data), MSG_DONTWAIT);
		if (n < 0 && passing(errno))
			return;
		if (n < 0) {
			err_errno(&e, ERR_UNREACHABLE, errno, "UDP");
			u->fn(u->arg, NULL, 0, &e);
			return;
		}
		u->fn(u->arg, data, (size_t)n, NULL);
	}
}

static void
writable(void *arg)
{
}

struct dns_udp *
dns_udp_open(struct loop *loop, const struct sockaddr *sa, socklen_t len, dns_udp_fn *fn, void *arg,
    struct err *e)
{
	int fd = socket(sa->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		err_errno(e, ERR_UNREACHABLE, errno, "UDP");
		return NULL;
	}
	if (connect(fd, sa, len) != 0) {
		err_errno(e, ERR_UNREACHABLE, errno, "UDP");
		close(fd);
		return NULL;
	}
	struct dns_udp *u = xcalloc(1, sizeof(*u));
	u->loop = loop;
	u->fd = fd;
	u->fn = fn;
	u->arg = arg;
	u->io = io_new(loop, fd, readable, writable, u);
	io_want(u->io, true, false);
	return u;
}

bool
dns_udp_send(struct dns_udp *u, const void *data, size_t len, struct err *e)
{
	if (send(u->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && !passing(errno))
		return err_errno(e, ERR_UNREACHABLE, errno, "UDP");
	return true;
}

void
dns_udp_free(struct dns_udp *u)
{
	if (u == NULL)
		return;
	io_free(u->io);
	u->io = NULL;
	close(u->fd);
	loop_dispose(u->loop, free, u);
}
