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
	struct listen_address address;
	dev_t dev; /* of the unix socket's file */
	ino_t ino;

	struct evconnlistener *lent;
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

struct listener *
listener_open(
    struct loop *loop, const struct listen_address *addr, bool *ret_no_family, struct err *e)
{
	struct listener *l;
	int fd;

	fd = listen_socket(addr, ret_no_family, e);
	if (fd < 0)
		return NULL;
	l = xcalloc(1, sizeof(*l));
	l->loop = loop;
	l->fd = fd;
	l->address = *addr;
	l->pause = timer_new(loop, resume, l);
	note_identity(l);
	TAILQ_INSERT_TAIL(&listeners, l, entry);
	return l;
}

static void
unlink_socket(const struct listener *l)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&l->address.sa;
	struct stat st;

	if (l->address.sa.ss_family != AF_UNIX || lstat(un->sun_path, &st) != 0)
		return;
	/* A successor may have replaced it. */
	if (st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(un->sun_path);
}

void
listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	if (l->lent != NULL)
		l->recall(l->arg);
	TAILQ_REMOVE(&listeners, l, entry);
	timer_free(l->pause);
	unlink_socket(l);
	close(l->fd);
	free(l);
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

struct evconnlistener *
listener_lend(struct listener *l, void (*recall)(void *arg), void *arg)
{
	if (l->lent != NULL)
		l->recall(l->arg);
	/* Backlog 0: it listens already. The descriptor stays ours when the object is freed. */
	l->lent = evconnlistener_new(
	    loop_base(l->loop), NULL, NULL, LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, l->fd);
	if (l->lent == NULL)
		return NULL;
	l->recall = recall;
	l->arg = arg;
	evconnlistener_set_error_cb(l->lent, accept_failed);
	if (!timer_running(l->pause))
		evconnlistener_enable(l->lent);
	return l->lent;
}

void
listener_return(struct listener *l)
{
	l->lent = NULL;
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
