/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conn.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>

#include "answer.h"
#include "base/alloc.h"
#include "request.h"
#include "script.h"

enum { READ_AHEAD_MAX = REQUEST_HEAD_MAX + REQUEST_BODY_MAX };

struct conn {
	TAILQ_ENTRY(conn) link;
	struct conn_owner owner;
	struct bufferevent *bev;
	struct event *timer;
	struct event *silent; /* of a connection that is only held open */
	int fd;
	bool tls, shaken, reset_later;
	bool playing;
	struct script script;
};

static void serve(struct conn *c);

static void
conn_free(struct conn *c)
{
	TAILQ_REMOVE(c->owner.list, c, link);
	c->owner.counts->open--;
	script_done(&c->script);
	if (c->silent != NULL) {
		event_free(c->silent);
		close(c->fd);
	}
	if (c->bev != NULL)
		bufferevent_free(c->bev);
	event_free(c->timer);
	free(c);
}

/* Ends without the farewell of TLS. */
static void
drop(struct conn *c, bool reset)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	conn_free(c);
}

/* Says goodbye, as RFC 8446 6.1 has it: libevent closes without a word. */
static void
say_goodbye(struct conn *c)
{
	if (c->tls)
		SSL_shutdown(bufferevent_openssl_get_ssl(c->bev));
	ERR_clear_error();
	conn_free(c);
}

static void
pause_for(struct conn *c, long ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	evtimer_add(c->timer, &tv);
}

static bool
all_written(struct conn *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev)) == 0;
}

/* One piece; true once the step is through. */
static bool
drip(struct conn *c, const struct step *step)
{
	size_t left = step->bytes.len - c->script.sent;
	size_t n = left < step->piece ? left : step->piece;

	if (left == 0)
		return true;
	bufferevent_write(c->bev, step->bytes.data + c->script.sent, n);
	c->script.sent += n;
	pause_for(c, step->ms);
	return false;
}

enum progress { NEXT_STEP, COME_BACK, GONE };

static enum progress
play_step(struct conn *c, const struct step *step)
{
	if (step->kind == STEP_SEND) {
		bufferevent_write(c->bev, step->bytes.data, step->bytes.len);
		return NEXT_STEP;
	}
	/* Everything else starts when the peer can have seen what came before. */
	if (!all_written(c))
		return COME_BACK;
	switch (step->kind) {
	case STEP_DRIP:
		return drip(c, step) ? NEXT_STEP : COME_BACK;
	case STEP_WAIT:
		if (c->script.sent > 0)
			return NEXT_STEP;
		c->script.sent = 1;
		pause_for(c, step->ms);
		return COME_BACK;
	case STEP_CLOSE:
		say_goodbye(c);
		return GONE;
	case STEP_DROP:
	case STEP_RESET:
		drop(c, step->kind == STEP_RESET);
		return GONE;
	case STEP_SEND:
	case STEP_STALL:
		break;
	}
	return COME_BACK;
}

/* Plays on until something is to be waited for; false if the connection is gone. */
static bool
play(struct conn *c)
{
	while (c->script.at < c->script.count) {
		switch (play_step(c, &c->script.steps[c->script.at])) {
		case GONE:
			return false;
		case COME_BACK:
			return true;
		case NEXT_STEP:
			c->script.at++;
			c->script.sent = 0;
		}
	}
	script_done(&c->script);
	c->playing = false;
	return true;
}

static void
answer(struct conn *c, const struct request *r)
{
	struct answer a;

	answer_init(&a);
	c->owner.handle(c->owner.arg, c->owner.id, r, &a);
	if (strcasecmp(request_header(r, "Connection"), "close") == 0)
		a.delivery.close = a.delivery.announce = true;
	script_write(&c->script, &a, strcasecmp(r->method, "HEAD") == 0);
	answer_done(&a);
	c->playing = true;
}

static void
refuse(struct conn *c)
{
	struct answer a;

	c->owner.counts->broken++;
	answer_init(&a);
	answer_problem(&a, 400, "malformed", "this is no HTTP/1.1 request");
	a.delivery.close = a.delivery.announce = true;
	script_write(&c->script, &a, false);
	answer_done(&a);
	c->playing = true;
}

/* Answers what is there. The connection may be gone afterwards. */
static void
serve(struct conn *c)
{
	while (!c->playing) {
		struct request r;

		switch (request_read(&r, bufferevent_get_input(c->bev))) {
		case REQUEST_PARTIAL:
			return;
		case REQUEST_BROKEN:
			refuse(c);
			break;
		case REQUEST_COMPLETE:
			answer(c, &r);
			request_done(&r);
			break;
		}
		if (!play(c))
			return;
	}
}

static void
go_on(struct conn *c)
{
	if (c->playing && evtimer_pending(c->timer, NULL) == 0 && play(c) && !c->playing)
		serve(c);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	if (!c->playing)
		serve(c);
}

static void
on_write(struct bufferevent *bev, void *arg)
{
	go_on(arg);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	go_on(arg);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;

	ERR_clear_error();
	if (what & BEV_EVENT_CONNECTED) {
		c->shaken = true;
		c->owner.counts->handshakes++;
		if (c->reset_later)
			drop(c, true);
		return;
	}
	if (c->tls && !c->shaken)
		c->owner.counts->failed_handshakes++;
	drop(c, false);
}

/* The peer of a silent connection says something, or goes. */
static void
on_silent(evutil_socket_t fd, short what, void *arg)
{
	char bytes[4096];

	if (recv(fd, bytes, sizeof(bytes), 0) <= 0)
		conn_free(arg);
}

static void
hold(struct conn *c)
{
	c->silent = event_new(c->owner.base, c->fd, EV_READ | EV_PERSIST, on_silent, c);
	event_add(c->silent, NULL);
}

static void
talk(struct conn *c, SSL_CTX *tls)
{
	c->tls = tls != NULL;
	if (c->tls)
		c->bev = bufferevent_openssl_socket_new(c->owner.base, c->fd, SSL_new(tls),
		    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	else
		c->bev = bufferevent_socket_new(c->owner.base, c->fd, BEV_OPT_CLOSE_ON_FREE);
	if (c->bev == NULL)
		abort();
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, READ_AHEAD_MAX);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

void
conn_start(const struct conn_owner *owner, int fd, struct greeting greeting)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->owner = *owner;
	c->fd = fd;
	c->reset_later = greeting.reset_later;
	c->timer = evtimer_new(owner->base, on_timer, c);
	TAILQ_INSERT_TAIL(owner->list, c, link);
	owner->counts->open++;
	if (greeting.silent) {
		hold(c);
		return;
	}
	talk(c, greeting.tls);
	if (greeting.reset)
		drop(c, true);
}

void
conn_list_clear(struct conn_list *list)
{
	struct conn *c, *next;

	TAILQ_FOREACH_SAFE (c, list, link, next)
		conn_free(c);
}
