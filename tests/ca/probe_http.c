/* SPDX-License-Identifier: GPL-3.0-or-later */
/* http-01 (RFC 8555 8.3): a GET on a connection of its own. */
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>

#include "ca.h"
#include "options.h"
#include "probe.h"

enum { ANSWER_MAX = 8192 };

/* Whether all of the answer is there: up to its Content-Length. */
static bool
is_complete(const char *text, size_t len)
{
	const char *body = strstr(text, "\r\n\r\n"),
		   *length = strcasestr(text, "\r\nContent-Length:");

	if (body == NULL || length == NULL || length > body)
		return false;
	return len - (size_t)(body + 4 - text) >= (size_t)atol(length + 17);
}

static void
judge(struct probe *p, char *text)
{
	char *body = strstr(text, "\r\n\r\n");
	size_t n;

	if (strncmp(text, "HTTP/1.1 200 ", 13) != 0 || body == NULL) {
		text[strcspn(text, "\r\n")] = '\0';
		probe_end(p, "unauthorized", "http-01: the answer is \"%.60s\"", text);
		return;
	}
	body += 4;
	/* RFC 8555 8.3: blanks at the end are ignored. */
	for (n = strlen(body); n > 0 && strchr(" \t\r\n", body[n - 1]) != NULL; n--)
		body[n - 1] = '\0';
	if (strcmp(body, p->key_authorization) == 0)
		probe_end(p, NULL, "right");
	else
		probe_end(p, "unauthorized", "http-01: another answer: \"%.120s\"", body);
}

static void
look(struct probe *p, bool over)
{
	struct evbuffer *in = bufferevent_get_input(p->bev);
	char text[ANSWER_MAX + 1];
	ev_ssize_t n = evbuffer_copyout(in, text, ANSWER_MAX);

	text[n > 0 ? n : 0] = '\0';
	if (over || n == ANSWER_MAX || is_complete(text, (size_t)n))
		judge(p, text);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	look(arg, false);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct probe *p = arg;

	if (what & BEV_EVENT_CONNECTED)
		return;
	if (what & BEV_EVENT_EOF)
		look(p, true);
	else
		probe_end(p, "connection", "http-01: nobody answers at port %ld",
		    p->ca->options->http_port);
}

void
probe_http(struct probe *p)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)p->ca->options->http_port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	bool bracket = strchr(p->identifier.value, ':') != NULL;

	p->bev = bufferevent_socket_new(p->ca->base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(p->bev, on_read, NULL, on_event, p);
	bufferevent_enable(p->bev, EV_READ | EV_WRITE);
	evbuffer_add_printf(bufferevent_get_output(p->bev),
	    "GET /.well-known/acme-challenge/%s HTTP/1.1\r\nHost: %s%s%s\r\n"
	    "User-Agent: testca\r\nAccept: */*\r\nConnection: close\r\n\r\n",
	    p->token, bracket ? "[" : "", p->identifier.value, bracket ? "]" : "");
	/* A failure comes through on_event, also one at once. */
	bufferevent_socket_connect(p->bev, (struct sockaddr *)&to, sizeof(to));
}
