/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * floor --port N --challenge-port N --tls-port N
 *
 * The bound for an issuance: a POST of a CSR is answered with a chain after the least that has to
 * be done for it, with the same libraries: the CSR read and its signature verified, seven signed
 * requests over kept TLS connections, a challenge answered, the leaf read. It knows no ACME: the
 * other side is a child that answers anything.
 */
#include <signal.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ec.h>
#include <openssl/ssl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/queue.h"
#include "floor.h"
#include "kit.h"

struct line {
	TAILQ_ENTRY(line) entry;
	struct bufferevent *bev;
	struct evhttp_connection *http;
	bool is_new;
};

struct floor {
	struct event_base *base;
	SSL_CTX *tls;
	EVP_PKEY *key;
	long tls_port;
	TAILQ_HEAD(lines, line) idle;
};

struct issuance {
	struct floor *floor;
	struct evhttp_request *asked;
	struct line *line;
	unsigned char *csr;
	size_t csr_len;
	int step;
};

static void go(struct issuance *i);

static struct line *
take_line(struct floor *f)
{
	struct line *l = TAILQ_FIRST(&f->idle);

	if (l != NULL) {
		TAILQ_REMOVE(&f->idle, l, entry);
		return l;
	}
	l = xcalloc(1, sizeof(*l));
	l->bev = bufferevent_openssl_socket_new(
	    f->base, -1, SSL_new(f->tls), BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	l->http = evhttp_connection_base_bufferevent_new(
	    f->base, NULL, l->bev, "127.0.0.1", (ev_uint16_t)f->tls_port);
	l->is_new = true;
	return l;
}

static void
reply(struct issuance *i, struct evbuffer *chain)
{
	evhttp_add_header(evhttp_request_get_output_headers(i->asked), "Content-Type",
	    "application/pem-certificate-chain");
	evhttp_send_reply(i->asked, HTTP_OK, "OK", chain);
	TAILQ_INSERT_HEAD(&i->floor->idle, i->line, entry);
	OPENSSL_free(i->csr);
	free(i);
}

static void
on_answer(struct evhttp_request *req, void *arg)
{
	struct issuance *i = arg;

	if (req == NULL || evhttp_request_get_response_code(req) != 200)
		kit_die("no answer to step %d", i->step);
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	if (++i->step < FLOOR_STEPS) {
		go(i);
		return;
	}
	floor_leaf((char *)evbuffer_pullup(in, -1), evbuffer_get_length(in));
	reply(i, in);
}

static char *
sign_step(struct issuance *i, const char *path)
{
	static const unsigned char order[] =
	    "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"n1.example.org\"}]}";

	if (i->step == FLOOR_FINALIZE)
		return floor_jws(i->floor->key, path, i->csr, i->csr_len);
	return floor_jws(i->floor->key, path, order, sizeof(order) - 1);
}

static void
go(struct issuance *i)
{
	struct evhttp_request *req = evhttp_request_new(on_answer, i);
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	char path[] = {'/', (char)('0' + i->step), '\0'};
	char *body = sign_step(i, path);
	int one = 1;

	evhttp_add_header(headers, "Host", "127.0.0.1");
	evhttp_add_header(headers, "User-Agent", "floor");
	evhttp_add_header(headers, "Content-Type", "application/jose+json");
	evbuffer_add(evhttp_request_get_output_buffer(req), body, strlen(body));
	free(body);
	evhttp_make_request(i->line->http, req, EVHTTP_REQ_POST, path);
	if (i->line->is_new)
		setsockopt(
		    bufferevent_getfd(i->line->bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	i->line->is_new = false;
}

static void
on_sign(struct evhttp_request *req, void *arg)
{
	struct issuance *i = xcalloc(1, sizeof(*i));
	struct evbuffer *in = evhttp_request_get_input_buffer(req);

	i->floor = arg;
	i->asked = req;
	i->line = take_line(i->floor);
	X509_REQ *csr = floor_csr((char *)evbuffer_pullup(in, -1), evbuffer_get_length(in));
	i->csr_len = (size_t)i2d_X509_REQ(csr, &i->csr);
	X509_REQ_free(csr);
	go(i);
}

static void
on_challenge(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_add_header(
	    evhttp_request_get_output_headers(req), "Content-Type", "application/octet-stream");
	evbuffer_add_printf(evhttp_request_get_output_buffer(req),
	    "0123456789abcdef0123456789abcdef0123456789a.%s",
	    "0123456789abcdef0123456789abcdef0123456789a");
	evhttp_send_reply(req, HTTP_OK, "OK", NULL);
}

int
main(int argc, char **argv)
{
	struct floor f = {.key = EVP_EC_gen("P-256"), .tls_port = kit_number(argv, "tls-port", 0)};
	long challenge_port = kit_number(argv, "challenge-port", 0);
	X509 *cert = floor_certificate(f.key);
	pid_t child = fork();

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		floor_ca(f.key, cert, f.tls_port, challenge_port);
	}
	TAILQ_INIT(&f.idle);
	f.base = floor_base();
	f.tls = SSL_CTX_new(TLS_client_method());
	evhttp_set_gencb(floor_listen(f.base, kit_number(argv, "port", 0)), on_sign, &f);
	evhttp_set_gencb(floor_listen(f.base, challenge_port), on_challenge, &f);
	return event_base_dispatch(f.base) == 0 ? 0 : 1;
}
