/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reply as it goes out: everything evhttp would otherwise decide is set here. */
#include <assert.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/server_connection.h"

enum { REASON_MAX = 80, HEADER_VALUE_MAX = 1024 };

static const struct {
	int status;
	const char *reason;
} statuses[] = {
    {200, "OK"},
    {204, "No Content"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};
static_assert(sizeof(statuses) / sizeof(statuses[0]) == HTTP_STATUSES, "a row for each status");

/* HTTP_STATUSES if it is none of these. */
static size_t
status_index(int status)
{
	size_t i = 0;

	while (i < HTTP_STATUSES && statuses[i].status != status)
		i++;
	return i;
}

int
http_status_at(size_t i)
{
	return i < HTTP_STATUSES ? statuses[i].status : 0;
}

/* What goes into a status line or header is one line of printable ASCII, whatever it quotes. */
static void
clean_text(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < size; text++)
		out[n++] = *text >= ' ' && *text <= '~' ? *text : '?';
	out[n] = '\0';
}

static void
add_headers(struct evkeyvalq *out, const struct http_reply *reply)
{
	char value[HEADER_VALUE_MAX];

	if (reply->content_type != NULL)
		evhttp_add_header(out, "Content-Type", reply->content_type);
	snprintf(value, sizeof(value), "%zu", reply->body_len);
	evhttp_add_header(out, "Content-Length", value);
	for (size_t i = 0; i < sizeof(reply->headers) / sizeof(reply->headers[0]); i++) {
		if (reply->headers[i].name == NULL)
			break;
		clean_text(value, sizeof(value), reply->headers[i].value);
		evhttp_add_header(out, reply->headers[i].name, value);
	}
}

/* The connection stays, else its close callback would have run instead. */
static void
written(struct evhttp_request *req, void *arg)
{
	connection_written(arg);
}

void
connection_reply(
    struct http_connection *c, struct evhttp_request *req, const struct http_reply *reply)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);
	struct evbuffer *body = evbuffer_new();
	bool leftover = connection_has_leftover(c);
	size_t status = status_index(reply->status);
	const char *standard = status < HTTP_STATUSES ? statuses[status].reason : "Unknown";
	char reason[REASON_MAX + 1];

	if (body == NULL)
		abort();
	c->server->conf.stats->replies[status]++;
	clean_text(reason, sizeof(reason), reply->reason != NULL ? reply->reason : standard);
	add_headers(out, reply);
	if (leftover || reply->close) {
		/* An HTTP/1.0 client that asked to stay would be told both. */
		evhttp_remove_header(evhttp_request_get_input_headers(req), "Connection");
		evhttp_add_header(out, "Connection", "close");
	}
	if (strcmp(c->head.method, "HEAD") != 0)
		evbuffer_add(body, reply->body, reply->body_len);
	evhttp_request_set_on_complete_cb(req, written, c);
	evhttp_send_reply(req, reply->status, reason, body);
	evbuffer_free(body);
	connection_writing(c, leftover);
}
