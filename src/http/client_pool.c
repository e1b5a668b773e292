/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "ev/timer.h"
#include "http/client_private.h"

enum { ORIGINS_KEPT = 16 };

static bool
origin_unused(const struct client_origin *o)
{
	return o->places == 0 && o->calls == 0;
}

void
origin_free(struct client_origin *o)
{
	struct client_connection *conn;

	while ((conn = TAILQ_FIRST(&o->idle)) != NULL)
		connection_drop(conn);
	TAILQ_REMOVE(&o->client->origins, o, entry);
	task_cancel(&o->pump);
	SSL_SESSION_free(o->session);
	free(o);
}

/* A CA decides which origins there are; their number is bounded all the same. */
static void
sweep(struct http_client *c)
{
	struct client_origin *o;
	struct client_origin *next;
	size_t n = 0;

	TAILQ_FOREACH (o, &c->origins, entry)
		n++;
	if (n < ORIGINS_KEPT)
		return;
	TAILQ_FOREACH_SAFE (o, &c->origins, entry, next) {
		if (origin_unused(o))
			origin_free(o);
	}
}

struct client_origin *
origin_get(struct http_client *c, const struct uri *uri)
{
	struct client_origin *o;

	TAILQ_FOREACH (o, &c->origins, entry) {
		if (uri_same_origin(&o->uri, uri))
			break;
	}
	if (o == NULL) {
		sweep(c);
		o = xcalloc(1, sizeof(*o));
		o->client = c;
		o->uri = *uri;
		uri_host_header(uri, o->name);
		TAILQ_INIT(&o->idle);
		TAILQ_INIT(&o->waiting);
		TAILQ_INSERT_TAIL(&c->origins, o, entry);
	}
	o->calls++;
	return o;
}

static unsigned
places_max(const struct client_origin *o)
{
	unsigned max = o->client->conf.max_connections;

	return max == 0 ? 1 : max;
}

static bool
has_room(const struct client_origin *o)
{
	return o->places < places_max(o) || !TAILQ_EMPTY(&o->idle);
}

void
origin_dispatch(struct client_origin *o, struct client_call *call)
{
	struct client_connection *conn = TAILQ_FIRST(&o->idle);

	if (!has_room(o)) {
		call->state = CALL_WAITING;
		TAILQ_INSERT_TAIL(&o->waiting, call, waiting);
		return;
	}
	if (conn != NULL && !call->fresh) {
		TAILQ_REMOVE(&o->idle, conn, entry);
		conn->idle = false;
		timer_stop(conn->idle_timer);
		call_send(call, conn);
		return;
	}
	/* Who insists on a new one gets the place of an old one. */
	if (o->places == places_max(o))
		connection_drop(TAILQ_LAST(&o->idle, idle_connections));
	o->places++;
	call_connect(call);
}

void
origin_leave_queue(struct client_origin *o, struct client_call *call)
{
	TAILQ_REMOVE(&o->waiting, call, waiting);
}

static void
pump(void *arg)
{
	struct client_origin *o = arg;
	struct client_call *call;

	while ((call = TAILQ_FIRST(&o->waiting)) != NULL && has_room(o)) {
		TAILQ_REMOVE(&o->waiting, call, waiting);
		origin_dispatch(o, call);
	}
}

void
origin_release_place(struct client_origin *o)
{
	o->places--;
	task_post(o->client->loop, &o->pump, pump, o);
}

void
origin_keep(struct client_origin *o, struct client_connection *conn)
{
	/* The one used last comes first, so that the others grow old and are closed. */
	TAILQ_INSERT_HEAD(&o->idle, conn, entry);
	conn->idle = true;
	timer_start(conn->idle_timer, o->client->conf.idle_ms);
	task_post(o->client->loop, &o->pump, pump, o);
}
