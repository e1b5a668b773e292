/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bare --port N [--key KEY] [--size 2000 | --body FILE]
 *
 * The bound for answers without work: evhttp and nothing else. A POST has its HMAC-SHA256 compared
 * with the header and its SHA-384 taken; every request is answered with the same body.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>

#include "base/alloc.h"
#include "kit.h"

struct bare {
	const char *key;
	char *body;
	size_t len;
};

static bool
is_right(const struct bare *b, struct evhttp_request *req)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t len = evbuffer_get_length(in);
	const unsigned char *data = evbuffer_pullup(in, -1);
	const char *given =
	    evhttp_find_header(evhttp_request_get_input_headers(req), "Authentication");
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hash[65];
	bool right = true;

	if (b->key != NULL) {
		kit_hmac(b->key, data, len, hash);
		right = given != NULL && strstr(given, hash) != NULL;
	}
	EVP_Digest(data, len, digest, NULL, EVP_sha384(), NULL);
	return right;
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	struct bare *b = arg;
	struct evbuffer *out = evhttp_request_get_output_buffer(req);
	int status = HTTP_OK;

	if (evhttp_request_get_command(req) == EVHTTP_REQ_POST && !is_right(b, req))
		status = 403;
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "text/plain");
	evbuffer_add(out, b->body, b->len);
	evhttp_send_reply(req, status, "OK", NULL);
}

static void
listen_at(struct event_base *base, struct evhttp *http, long port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1;
	struct evconnlistener *l = evconnlistener_new_bind(base, NULL, NULL,
	    LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_FREE, 1024, (struct sockaddr *)&at, sizeof(at));

	if (l == NULL)
		kit_die("cannot listen at port %ld", port);
	setsockopt(evconnlistener_get_fd(l), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	evhttp_bind_listener(http, l);
}

int
main(int argc, char **argv)
{
	struct bare b = {.key = kit_text(argv, "key", NULL)};
	const char *path = kit_text(argv, "body", NULL);
	struct event_config *config = event_config_new();

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	if (path != NULL) {
		b.body = kit_read(path);
		b.len = strlen(b.body);
	} else {
		b.len = (size_t)kit_number(argv, "size", 2000);
		b.body = xmalloc(b.len);
		memset(b.body, 'x', b.len);
	}
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	struct event_base *base = event_base_new_with_config(config);
	struct evhttp *http = evhttp_new(base);
	evhttp_set_gencb(http, on_request, &b);
	listen_at(base, http, kit_number(argv, "port", 0));
	return event_base_dispatch(base) == 0 ? 0 : 1;
}
