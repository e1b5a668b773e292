/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "dns/message.h"
#include "ev/io.h"
#include "ev/loop.h"

enum { LENGTH = 2 };

struct dns_tcp {
	struct loop *loop;
	struct io *io;
	int fd; /* -1: there is none */
	struct buf out;
	size_t written;
	struct buf in;
	struct err error; /* to be reported after this turn */
	struct task failed;
	dns_tcp_fn *fn;
	void *arg;
};

static void
report(struct dns_tcp *t, const struct err *e)
{
	io_want(t->io, false, false);
	if (e != NULL)
		t->fn(t->arg, NULL, 0, e);
	else
		t->fn(t->arg, (const uint8_t *)t->in.data + LENGTH, t->in.len - LENGTH, NULL);
}

static void
fail_errno(struct dns_tcp *t, int error)
{
	err_errno(&t->error, ERR_UNREACHABLE, error, "TCP");
	report(t, &t->error);
}

static void
writable(void *arg)
{
	struct dns_tcp *t = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	if (t->written == 0 && getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
	    error != 0) {
		fail_errno(t, error);
		return;
	}
	ssize_t n = send(t->fd, t->out.data + t->written, t->out.len - t->written, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		fail_errno(t, errno);
		return;
	}
	t->written += (size_t)n;
	io_want(t->io, true, t->written < t->out.len);
}

/* Octets of the whole answer with its length, as far as that is known yet. */
static size_t
wanted(const struct dns_tcp *t)
{
	const uint8_t *p = (const uint8_t *)t->in.data;

	return t->in.len < LENGTH ? LENGTH : LENGTH + (size_t)(p[0] << 8 | p[1]);
}

static void
readable(void *arg)
{
	struct dns_tcp *t = arg;
	char chunk[4096];
	size_t want = wanted(t) - t->in.len;

	ssize_t n = recv(t->fd, chunk, want < sizeof(chunk) ? want : sizeof(chunk), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		fail_errno(t, errno);
		return;
	}
	if (n == 0)
		err_set(
		    &t->error, ERR_UNREACHABLE, "TCP: the connection was closed without an answer");
	else if (!buf_add(&t->in, chunk, (size_t)n) || wanted(t) > LENGTH + DNS_ANSWER_MAX)
		err_set(&t->error, ERR_UPSTREAM, "TCP: an answer of more than %d octets",
		    DNS_ANSWER_MAX);
	if (t->error.kind != ERR_NONE)
		report(t, &t->error);
	else if (t->in.len >= LENGTH && t->in.len == wanted(t))
		report(t, NULL);
}

static void
failed_at_once(void *arg)
{
	struct dns_tcp *t = arg;

	t->fn(t->arg, NULL, 0, &t->error);
}

static bool
connect_to(struct dns_tcp *t, const struct sockaddr *sa, socklen_t len)
{
	t->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0)
		return false;
	setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return connect(t->fd, sa, len) == 0 || errno == EINPROGRESS;
}

struct dns_tcp *
dns_tcp_start(struct loop *loop, const struct sockaddr *sa, socklen_t sa_len, const void *data,
    size_t len, dns_tcp_fn *fn, void *arg)
{
	struct dns_tcp *t = xcalloc(1, sizeof(*t));
	uint8_t length[LENGTH] = {(uint8_t)(len >> 8), (uint8_t)len};

	t->loop = loop;
	t->fn = fn;
	t->arg = arg;
	buf_init(&t->in, LENGTH + DNS_ANSWER_MAX);
	buf_init(&t->out, LENGTH + UINT16_MAX);
	buf_add(&t->out, length, LENGTH);
	buf_add(&t->out, data, len);
	if (connect_to(t, sa, sa_len)) {
		t->io = io_new(loop, t->fd, readable, writable, t);
		io_want(t->io, false, true);
	} else {
		err_errno(&t->error, ERR_UNREACHABLE, errno, "TCP");
		task_post(loop, &t->failed, failed_at_once, t);
	}
	return t;
}

bool
dns_tcp_sent(const struct dns_tcp *t)
{
	return t->written > 0;
}

static void
release(void *arg)
{
	struct dns_tcp *t = arg;

	buf_done(&t->in);
	buf_done(&t->out);
	free(t);
}

void
dns_tcp_free(struct dns_tcp *t)
{
	if (t == NULL)
		return;
	task_cancel(&t->failed);
	io_free(t->io);
	t->io = NULL;
	if (t->fd >= 0)
		close(t->fd);
	loop_dispose(t->loop, release, t);
}
