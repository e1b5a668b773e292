/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "floor.h"
#include "kit.h"

struct event_base *
floor_base(void)
{
	struct event_config *config = event_config_new();

	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	struct event_base *base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

struct evhttp *
floor_listen(struct event_base *base, long port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct evhttp *http = evhttp_new(base);
	int one = 1;
	struct evconnlistener *l = evconnlistener_new_bind(base, NULL, NULL,
	    LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_FREE, 1024, (struct sockaddr *)&at, sizeof(at));

	if (l == NULL)
		kit_die("cannot listen at port %ld", port);
	setsockopt(evconnlistener_get_fd(l), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	evhttp_bind_listener(http, l);
	return http;
}

/* ---- the CA ---- */

struct ca {
	struct event_base *base;
	SSL_CTX *tls;
	long http_port;
	char *chain;
	size_t chain_len;
	char json[700]; /* as long as an order is */
};

static struct bufferevent *
make_connection(struct event_base *base, void *arg)
{
	struct ca *ca = arg;

	return bufferevent_openssl_socket_new(
	    base, -1, SSL_new(ca->tls), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

static void
answer(struct ca *ca, struct evhttp_request *req, bool with_chain)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct evbuffer *out = evhttp_request_get_output_buffer(req);

	evhttp_add_header(headers, "Replay-Nonce", "0123456789abcdef0123456789abcdef");
	evhttp_add_header(headers, "Content-Type", "application/json");
	if (with_chain)
		evbuffer_add(out, ca->chain, ca->chain_len);
	else
		evbuffer_add(out, ca->json, sizeof(ca->json));
	evhttp_send_reply(req, HTTP_OK, "OK", NULL);
}

struct look {
	struct ca *ca;
	struct evhttp_request *asked;
	struct evhttp_connection *connection;
};

static void
after_look(int fd, short what, void *arg)
{
	struct look *l = arg;

	(void)fd;
	(void)what;
	evhttp_connection_free(l->connection);
	free(l);
}

static void
on_look(struct evhttp_request *req, void *arg)
{
	static const struct timeval now;
	struct look *l = arg;

	if (req == NULL || evhttp_request_get_response_code(req) != 200)
		kit_die("no answer to a challenge");
	answer(l->ca, l->asked, false);
	event_base_once(l->ca->base, -1, EV_TIMEOUT, after_look, l, &now);
}

static void
look(struct ca *ca, struct evhttp_request *asked)
{
	struct look *l = calloc(1, sizeof(*l));
	struct evhttp_request *req = evhttp_request_new(on_look, l);

	l->ca = ca;
	l->asked = asked;
	l->connection =
	    evhttp_connection_base_new(ca->base, NULL, "127.0.0.1", (ev_uint16_t)ca->http_port);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Host", "n1.example.org");
	evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
	evhttp_make_request(l->connection, req, EVHTTP_REQ_GET,
	    "/.well-known/acme-challenge/0123456789abcdef0123456789abcdef0123456789a");
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	const char *path = evhttp_request_get_uri(req);

	if (strcmp(path, "/3") == 0)
		look(arg, req);
	else
		answer(arg, req, strcmp(path, "/6") == 0);
}

/* A leaf and its issuer's certificate. */
static void
make_chain(struct ca *ca, X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;

	PEM_write_bio_X509(bio, cert);
	BIO_puts(bio, "\n");
	PEM_write_bio_X509(bio, cert);
	ca->chain_len = (size_t)BIO_get_mem_data(bio, &text);
	ca->chain = text;
}

void
floor_ca(EVP_PKEY *key, X509 *cert, long tls_port, long http_port)
{
	struct ca ca = {.base = floor_base(), .http_port = http_port};

	memset(ca.json, 'x', sizeof(ca.json));
	make_chain(&ca, cert);
	ca.tls = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(ca.tls, cert);
	SSL_CTX_use_PrivateKey(ca.tls, key);
	struct evhttp *http = floor_listen(ca.base, tls_port);
	evhttp_set_bevcb(http, make_connection, &ca);
	evhttp_set_gencb(http, on_request, &ca);
	event_base_dispatch(ca.base);
	exit(0);
}
