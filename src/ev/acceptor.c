/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/acceptor.h"

#include <event2/listener.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ev/listener.h"

enum { SHORT_PAUSE_MS = 100 };

struct acceptor {
	struct listener *listener;
	struct evconnlistener *lent;
	acceptor_fn *fn;
	void *arg;
};

/* The listener ends, or is lent to another. */
static void
recall(void *arg)
{
	struct acceptor *a = arg;

	evconnlistener_free(a->lent);
	listener_return(a->listener);
	free(a);
}

static void
accepted(struct evconnlistener *lent, evutil_socket_t fd, struct sockaddr *peer, int len, void *arg)
{
	struct acceptor *a = arg;

	if (listener_short_of_descriptors(a->listener)) {
		close(fd);
		listener_pause(a->listener, SHORT_PAUSE_MS);
		return;
	}
	a->fn(a->arg, fd, peer, (socklen_t)len);
}

bool
acceptor_start(struct listener *l, acceptor_fn *fn, void *arg, struct err *e)
{
	struct acceptor *a = xcalloc(1, sizeof(*a));

	*a = (struct acceptor){.listener = l, .fn = fn, .arg = arg};
	a->lent = listener_lend(l, recall, a);
	if (a->lent == NULL) {
		free(a);
		return err_set(
		    e, ERR_INTERNAL, "%s: libevent cannot listen", listener_address(l)->text);
	}
	evconnlistener_set_cb(a->lent, accepted, a);
	return true;
}
