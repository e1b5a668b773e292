/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "base/alloc.h"

static bool
split_line(char **rest, char **ret_line)
{
	char *end = strstr(*rest, "\r\n");

	if (end == NULL)
		return false;
	*end = '\0';
	*ret_line = *rest;
	*rest = end + 2;
	return true;
}

static bool
parse_first(struct request *r, char *line)
{
	char *path = strchr(line, ' '), *version;

	if (path == NULL)
		return false;
	*path++ = '\0';
	version = strchr(path, ' ');
	if (version == NULL || strcmp(version, " HTTP/1.1") != 0)
		return false;
	*version = '\0';
	r->method = line;
	r->path = path;
	return *path == '/';
}

static bool
parse_header(struct request *r, char *line)
{
	char *colon = strchr(line, ':'), *value;
	size_t n;

	if (colon == NULL || colon == line || r->count == REQUEST_HEADERS)
		return false;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	for (n = strlen(value); n > 0 && strchr(" \t", value[n - 1]) != NULL; n--)
		value[n - 1] = '\0';
	r->headers[r->count].name = line;
	r->headers[r->count++].value = value;
	return true;
}

static bool
parse_head(struct request *r)
{
	char *rest = r->head, *line;

	if (!split_line(&rest, &line) || !parse_first(r, line))
		return false;
	while (split_line(&rest, &line) && *line != '\0')
		if (!parse_header(r, line))
			return false;
	return *request_header(r, "Transfer-Encoding") == '\0';
}

static bool
body_length(const struct request *r, size_t *ret_len)
{
	const char *text = request_header(r, "Content-Length");
	unsigned long len;

	*ret_len = 0;
	if (*text == '\0')
		return true;
	if (strspn(text, "0123456789") != strlen(text))
		return false;
	errno = 0;
	len = strtoul(text, NULL, 10);
	*ret_len = len;
	return errno == 0 && len <= REQUEST_BODY_MAX;
}

static char *
copy_out(struct evbuffer *in, size_t from, size_t n)
{
	struct evbuffer_ptr at;
	char *bytes = xmalloc(n + 1);

	evbuffer_ptr_set(in, &at, from, EVBUFFER_PTR_SET);
	if (n > 0 && evbuffer_copyout_from(in, &at, bytes, n) != (ev_ssize_t)n)
		n = 0;
	bytes[n] = '\0';
	return bytes;
}

enum request_state
request_read(struct request *r, struct evbuffer *in)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	size_t head;

	*r = (struct request){0};
	if (end.pos < 0)
		return evbuffer_get_length(in) > REQUEST_HEAD_MAX ? REQUEST_BROKEN
								  : REQUEST_PARTIAL;
	head = (size_t)end.pos + 4;
	r->head = copy_out(in, 0, head);
	if (!parse_head(r) || !body_length(r, &r->body_len)) {
		request_done(r);
		return REQUEST_BROKEN;
	}
	if (evbuffer_get_length(in) - head < r->body_len) {
		request_done(r);
		return REQUEST_PARTIAL;
	}
	r->body = copy_out(in, head, r->body_len);
	evbuffer_drain(in, head + r->body_len);
	return REQUEST_COMPLETE;
}

void
request_done(struct request *r)
{
	free(r->head);
	free(r->body);
	*r = (struct request){0};
}

const char *
request_header(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return "";
}
