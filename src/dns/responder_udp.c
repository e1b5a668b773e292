/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/responder_udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "dns/responder_answer.h"
#include "dns/responder_name.h"
#include "ev/io.h"
#include "ev/listener.h"

enum {
	QUERY_MAX = 4096, /* what is longer is cut off, and so answered with FORMERR */
	BURST_MAX = 64,   /* datagrams in one turn: others want to live too */
};

struct responder_udp {
	struct loop *loop;
	const struct responder_table *table;
	struct listener *listener;
	int fd;
	struct io *io; /* NULL: someone else serves, or nobody yet */
};

/* One datagram, and where its answer goes. */
struct datagram {
	struct sockaddr_storage peer;
	uint8_t bytes[QUERY_MAX];
	size_t len;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct iovec iov;
	struct msghdr msg;
};

static bool
receive(int fd, struct datagram *d)
{
	ssize_t n;

	d->iov = (struct iovec){d->bytes, sizeof(d->bytes)};
	d->msg = (struct msghdr){
	    .msg_name = &d->peer,
	    .msg_namelen = sizeof(d->peer),
	    .msg_iov = &d->iov,
	    .msg_iovlen = 1,
	    .msg_control = d->control,
	    .msg_controllen = sizeof(d->control),
	};
	n = recvmsg(fd, &d->msg, 0);
	d->len = n > 0 ? (size_t)n : 0;
	return n >= 0;
}

/* Which address was asked stays; through which interface is left to the routes, unless the address
 * means nothing without it. */
static void
keep_address_only(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(c);

			info->ipi_ifindex = 0;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(c);

			if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
				info->ipi6_ifindex = 0;
		}
	}
}

/* What cannot be sent now is lost; the asker asks again. */
static bool
send_reply(int fd, struct datagram *d, const struct responder_reply *reply)
{
	d->iov = (struct iovec){reply->bytes, reply->len};
	d->msg.msg_flags = 0;
	keep_address_only(&d->msg);
	return sendmsg(fd, &d->msg, MSG_NOSIGNAL) >= 0;
}

static void
readable(void *arg)
{
	struct responder_udp *u = arg;
	struct datagram d;

	for (int i = 0; i < BURST_MAX; i++) {
		struct responder_reply reply;

		if (!receive(u->fd, &d)) {
			/* An ICMP error of an earlier answer: no end of what is waiting. */
			if (errno == EAGAIN || errno == EWOULDBLOCK)
				return;
			continue;
		}
		if (!responder_answer(u->table, d.bytes, d.len, false, &reply))
			continue;
		if (send_reply(u->fd, &d, &reply) && reply.served != NULL)
			responder_name_fetched(u->loop, reply.served);
		free(reply.bytes);
	}
}

static bool
set_options(int fd, int family)
{
	const int on = 1;

	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == 0;
}

struct responder_udp *
responder_udp_open(struct loop *loop, const struct responder_table *table,
    const struct listen_address *addr, struct err *e)
{
	struct listener *l = listener_open_udp(loop, addr, NULL, e);
	struct responder_udp *u;

	if (l == NULL)
		return NULL;
	u = xcalloc(1, sizeof(*u));
	u->loop = loop;
	u->table = table;
	u->listener = l;
	return u;
}

/* The listener ends, or another serves on it. */
static void
recall(void *arg)
{
	struct responder_udp *u = arg;

	io_free(u->io);
	u->io = NULL;
	listener_return(u->listener);
}

bool
responder_udp_serve(struct responder_udp *u, bool take, struct err *e)
{
	const struct listen_address *a = listener_address(u->listener);

	if (!take && listener_lent(u->listener))
		return true;
	u->fd = listener_lend_udp(u->listener, recall, u);
	if (!set_options(u->fd, a->sa.ss_family)) {
		err_errno(e, ERR_CONFIG, errno, "cannot listen on %s (UDP)", a->text);
		listener_return(u->listener);
		return false;
	}
	u->io = io_new(u->loop, u->fd, readable, NULL, u);
	io_want(u->io, true, false);
	return true;
}

void
responder_udp_free(struct responder_udp *u)
{
	if (u == NULL)
		return;
	if (u->io != NULL)
		recall(u);
	listener_free(u->listener);
	free(u);
}
