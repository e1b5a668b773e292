/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/listener.h"

#include <errno.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/queue.h"
#include "ev/listen_socket.h"
#include "ev/loop.h"
#include "ev/timer.h"

enum {
	ERROR_PAUSE_MS = 1000,
	SHORT_PAUSE_MS = 100,
	RESERVE_MAX = 64, /* descriptors that are not given to new connections */
	RESERVE_MIN = 8,
};

struct listener {
	TAILQ_ENTRY(listener) entry;
	struct loop *loop;
	int fd;
	int type; /* SOCK_STREAM, SOCK_DGRAM */
	struct listen_address address;
	size_t holders;
	bool inherited;
	dev_t dev; /* of the unix socket's file */
	ino_t ino;

	bool is_lent;
	struct evconnlistener *lent; /* NULL where datagrams come */
	void (*recall)(void *arg);
	void *arg;
	struct timer *pause;
};

/* All listeners that exist. libevent hands the error callback of an evconnlistener the argument of
 * its accept callback, which is evhttp's: so the listener has to be found by the object itself. */
static TAILQ_HEAD(, listener) listeners = TAILQ_HEAD_INITIALIZER(listeners);

/* The port may have been 0, and the file's identity tells later whether it is still ours. */
static void
note_identity(struct listener *l)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&l->address.sa;
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	struct stat st;

	if (l->address.sa.ss_family == AF_UNIX) {
		if (lstat(un->sun_path, &st) == 0) {
			l->dev = st.st_dev;
			l->ino = st.st_ino;
		}
	} else if (getsockname(l->fd, (struct sockaddr *)&sa, &len) == 0) {
		listen_address_set(&l->address, &sa, len);
	}
}

static void
resume(void *arg)
{
	struct listener *l = arg;

	if (listener_short_of_descriptors(l))
		timer_start(l->pause, SHORT_PAUSE_MS);
	else if (l->lent != NULL)
		evconnlistener_enable(l->lent);
}

static struct listener *
listener_new(struct loop *loop, int type, const struct listen_address *addr, int fd)
{
	struct listener *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->fd = fd;
	l->type = type;
	l->address = *addr;
	l->pause = timer_new(loop, resume, l);
	note_identity(l);
	TAILQ_INSERT_TAIL(&listeners, l, entry);
	return l;
}

static struct listener *
find(const struct loop *loop, int type, const struct listen_address *addr)
{
	struct listener *l;

	TAILQ_FOREACH (l, &listeners, entry)
		if (l->loop == loop && l->type == type && strcmp(l->address.text, addr->text) == 0)
			return l;
	return NULL;
}

/* Ours on that port may share it for the moment, since one of them is about to go; the kernel
 * allows that only where both sides agree, so that others' sockets are still in the way. */
static bool
share_port(const struct loop *loop, int type, const struct listen_address *addr, bool on)
{
	struct listener *l;
	bool any = false;

	TAILQ_FOREACH (l, &listeners, entry) {
		if (l->loop != loop || l->type != type ||
		    listen_port(&l->address) != listen_port(addr))
			continue;
		listen_socket_share(l->fd, on);
		any = true;
	}
	return any;
}

static int
open_socket(const struct loop *loop, int type, const struct listen_address *addr,
    bool *ret_no_family, struct err *e)
{
	bool shared = listen_port(addr) != 0 && share_port(loop, type, addr, true);
	int fd = listen_socket(addr, type, shared, ret_no_family, e);

	if (!shared)
		return fd;
	share_port(loop, type, addr, false);
	if (fd >= 0)
		listen_socket_share(fd, false);
	return fd;
}

static struct listener *
open_type(struct loop *loop, int type, const struct listen_address *addr, bool *ret_no_family,
    struct err *e)
{
	struct listener *l = find(loop, type, addr);
	int fd;

	if (ret_no_family != NULL)
		*ret_no_family = false;
	if (l == NULL) {
		fd = open_socket(loop, type, addr, ret_no_family, e);
		if (fd < 0)
			return NULL;
		l = listener_new(loop, type, addr, fd);
	}
	l->holders++;
	return l;
}

struct listener *
listener_open(
    struct loop *loop, const struct listen_address *addr, bool *ret_no_family, struct err *e)
{
	return open_type(loop, SOCK_STREAM, addr, ret_no_family, e);
}

struct listener *
listener_open_udp(
    struct loop *loop, const struct listen_address *addr, bool *ret_no_family, struct err *e)
{
	return open_type(loop, SOCK_DGRAM, addr, ret_no_family, e);
}

static void
unlink_socket(const struct listener *l)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&l->address.sa;
	struct stat st;

	if (l->address.sa.ss_family != AF_UNIX || l->inherited || lstat(un->sun_path, &st) != 0)
		return;
	/* A successor may have replaced it. */
	if (st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(un->sun_path);
}

static void
destroy(struct listener *l)
{
	TAILQ_REMOVE(&listeners, l, entry);
	timer_free(l->pause);
	unlink_socket(l);
	close(l->fd);
	free(l);
}

void
listener_free(struct listener *l)
{
	if (l == NULL || --l->holders > 0)
		return;
	if (l->is_lent)
		l->recall(l->arg);
	if (!l->inherited)
		destroy(l);
}

const struct listen_address *
listener_address(const struct listener *l)
{
	return &l->address;
}

static void
accept_failed(struct evconnlistener *lent, void *arg)
{
	int error = errno;
	struct listener *l;

	TAILQ_FOREACH (l, &listeners, entry) {
		if (l->lent == lent)
			break;
	}
	if (l == NULL)
		return;
	/* Without the pause the loop would fail in accept() millions of times a second. Logged
	 * here, because there is nobody an error could be returned to. */
	log_warning(NULL, "%s: accept: %s; pausing for a second", l->address.text, strerror(error));
	listener_pause(l, ERROR_PAUSE_MS);
}

static void
lend(struct listener *l, void (*recall)(void *arg), void *arg)
{
	l->is_lent = true;
	l->recall = recall;
	l->arg = arg;
}

struct evconnlistener *
listener_lend(struct listener *l, void (*recall)(void *arg), void *arg)
{
	if (l->is_lent)
		l->recall(l->arg);
	/* Backlog 0: it listens already. The descriptor stays ours when the object is freed. */
	l->lent = evconnlistener_new(
	    loop_base(l->loop), NULL, NULL, LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, l->fd);
	if (l->lent == NULL)
		return NULL;
	lend(l, recall, arg);
	evconnlistener_set_error_cb(l->lent, accept_failed);
	if (!timer_running(l->pause))
		evconnlistener_enable(l->lent);
	return l->lent;
}

void
listener_return(struct listener *l)
{
	l->lent = NULL;
	l->is_lent = false;
}

int
listener_lend_udp(struct listener *l, void (*recall)(void *arg), void *arg)
{
	if (l->is_lent)
		l->recall(l->arg);
	lend(l, recall, arg);
	return l->fd;
}

bool
listener_lent(const struct listener *l)
{
	return l->is_lent;
}

/* ---- inherited sockets ---- */

static bool
socket_is(int fd, int option, int *ret)
{
	socklen_t len = sizeof(*ret);

	return getsockopt(fd, SOL_SOCKET, option, ret, &len) == 0;
}

bool
listener_inherit(struct loop *loop, int fd, struct err *e)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	struct listen_address a;
	int type = 0, listening = 0;

	if (!socket_is(fd, SO_TYPE, &type) || !socket_is(fd, SO_ACCEPTCONN, &listening) ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
		return err_errno(e, ERR_CONFIG, errno, "descriptor %d", fd);
	listen_address_set(&a, &sa, len);
	if (a.text[0] == '\0' || (type == SOCK_STREAM) != (listening != 0) ||
	    (type != SOCK_STREAM && type != SOCK_DGRAM) || find(loop, type, &a) != NULL)
		return err_set(e, ERR_CONFIG,
		    "descriptor %d is neither a listening stream socket nor a datagram socket", fd);
	listen_socket_prepare(fd, a.sa.ss_family, type);
	listener_new(loop, type, &a, fd)->inherited = true;
	return true;
}

void
listener_unused(struct loop *loop, void (*fn)(void *arg, const char *text), void *arg)
{
	struct listener *l;

	TAILQ_FOREACH (l, &listeners, entry)
		if (l->loop == loop && l->holders == 0)
			fn(arg, l->address.text);
}

void
listener_close_inherited(struct loop *loop)
{
	struct listener *l, *next;

	TAILQ_FOREACH_SAFE (l, &listeners, entry, next)
		if (l->loop == loop && l->holders == 0)
			destroy(l);
}

bool
listener_short_of_descriptors(const struct listener *l)
{
	struct rlimit limit;
	rlim_t reserve;
	int next;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return false;
	/* The kernel gives out the lowest free number: the one it would give now tells how many are
	 * in use. */
	next = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
	if (next < 0)
		return true;
	close(next);
	reserve = limit.rlim_cur / 10;
	if (reserve > RESERVE_MAX)
		reserve = RESERVE_MAX;
	if (reserve < RESERVE_MIN)
		reserve = RESERVE_MIN;
	return (rlim_t)next + reserve >= limit.rlim_cur;
}

void
listener_pause(struct listener *l, int ms)
{
	if (l->lent != NULL)
		evconnlistener_disable(l->lent);
	timer_start(l->pause, ms);
}
