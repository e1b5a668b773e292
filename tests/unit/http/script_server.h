/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server that answers each request with the next lines of a script, right or wrong, plain or TLS.
 */
#pragma once

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/queue.h"
#include "tests/unit/ev/loopback.h"
#include "tests/unit/ev/pump.h"
#include "tests/unit/http/certs.h"

enum script_end {
	KEEP,  /* the connection stays */
	CLOSE, /* FIN behind the reply */
	RESET, /* RST */
};

struct script_line {
	const char *reply; /* NULL: none */
	enum script_end end;
};

struct script_peer {
	TAILQ_ENTRY(script_peer) entry;
	struct script_server *server;
	struct bufferevent *bev;
};

struct script_server {
	struct loop *loop;
	struct listener *listener;
	struct evconnlistener *lent;
	SSL_CTX *tls;
	const struct script_line *script; /* the last line repeats */
	size_t lines;
	bool greet; /* what is said comes at the connect, not after a request */
	int accepted;
	int requests;
	int resumed;
	char last[4096]; /* request */
	TAILQ_HEAD(, script_peer) peers;
};

static inline void
script_peer_free(struct script_peer *p)
{
	TAILQ_REMOVE(&p->server->peers, p, entry);
	bufferevent_free(p->bev);
	free(p);
}

static inline void
script_reset(struct script_peer *p)
{
	const struct linger linger = {.l_onoff = 1};

	setsockopt(bufferevent_getfd(p->bev), SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	script_peer_free(p);
}

static inline void
script_written(struct bufferevent *bev, void *arg)
{
	struct script_peer *p = arg;
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (ssl != NULL)
		SSL_shutdown(ssl);
	script_peer_free(p);
}

static inline void
script_event(struct bufferevent *bev, short what, void *arg)
{
	struct script_peer *p = arg;

	if (what & BEV_EVENT_CONNECTED)
		p->server->resumed += SSL_session_reused(bufferevent_openssl_get_ssl(bev));
	else
		script_peer_free(p);
}

static inline void
script_answer(struct script_peer *p)
{
	struct script_server *s = p->server;
	size_t n = (size_t)s->requests < s->lines ? (size_t)s->requests : s->lines - 1;
	const struct script_line *line = &s->script[n];

	s->requests++;
	if (line->end == RESET) {
		script_reset(p);
		return;
	}
	if (line->reply != NULL)
		bufferevent_write(p->bev, line->reply, strlen(line->reply));
	if (line->end == CLOSE && line->reply == NULL)
		script_written(p->bev, p);
	else if (line->end == CLOSE)
		bufferevent_setcb(p->bev, NULL, script_written, script_event, p);
}

/* A request is there when its head is, and as many bytes behind it as it says. */
static inline void
script_read(struct bufferevent *bev, void *arg)
{
	struct script_peer *p = arg;
	struct script_server *s = p->server;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(input);
	const char *length;
	size_t whole;
	char *end;

	if (len >= sizeof(s->last))
		len = sizeof(s->last) - 1;
	evbuffer_copyout(input, s->last, len);
	s->last[len] = '\0';
	end = strstr(s->last, "\r\n\r\n");
	if (end == NULL)
		return;
	whole = (size_t)(end + 4 - s->last);
	length = strcasestr(s->last, "Content-Length: ");
	if (length != NULL)
		whole += strtoul(length + 16, NULL, 10);
	if (len < whole)
		return;
	evbuffer_drain(input, whole);
	script_answer(p);
}

static inline void
script_accept(struct evconnlistener *lent, int fd, struct sockaddr *sa, int len, void *arg)
{
	struct script_server *s = arg;
	struct script_peer *p = calloc(1, sizeof(*p));
	struct event_base *base = loop_base(s->loop);

	s->accepted++;
	p->server = s;
	if (s->tls != NULL) {
		p->bev = bufferevent_openssl_socket_new(
		    base, fd, SSL_new(s->tls), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	} else {
		p->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	}
	TAILQ_INSERT_TAIL(&s->peers, p, entry);
	bufferevent_setcb(p->bev, script_read, NULL, script_event, p);
	bufferevent_enable(p->bev, EV_READ | EV_WRITE);
	if (s->greet)
		script_answer(p);
}

static inline void
script_recall(void *arg)
{
	struct script_server *s = arg;

	evconnlistener_free(s->lent);
	listener_return(s->listener);
}

static inline SSL_CTX *
script_tls(const struct cert *leaf)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert_int_equal(SSL_CTX_use_certificate(ctx, leaf->x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, leaf->key), 1);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4);
	return ctx;
}

/* tls: may be NULL; taken over. */
static inline struct script_server *
script_serve(struct loop *loop, SSL_CTX *tls, const struct script_line *script, size_t lines)
{
	struct script_server *s = calloc(1, sizeof(*s));

	s->loop = loop;
	s->tls = tls;
	s->script = script;
	s->lines = lines;
	TAILQ_INIT(&s->peers);
	s->listener = loopback_listener(loop);
	s->lent = listener_lend(s->listener, script_recall, s);
	evconnlistener_set_cb(s->lent, script_accept, s);
	return s;
}

/* Ends the connections there are. */
static inline void
script_hang_up(struct script_server *s)
{
	struct script_peer *p;

	while ((p = TAILQ_FIRST(&s->peers)) != NULL)
		script_peer_free(p);
}

static inline void
script_free(struct script_server *s)
{
	if (s == NULL)
		return;
	script_hang_up(s);
	listener_free(s->listener);
	SSL_CTX_free(s->tls);
	free(s);
}
