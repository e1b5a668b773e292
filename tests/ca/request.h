/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP/1.1 requests (RFC 9112) as our few clients send them: a body has a Content-Length. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct evbuffer;

enum { REQUEST_HEADERS = 64, REQUEST_HEAD_MAX = 64 << 10, REQUEST_BODY_MAX = 4 << 20 };

struct request {
	char *head; /* owned; the strings below point into it */
	const char *method;
	const char *path; /* query included */
	struct {
		const char *name, *value;
	} headers[REQUEST_HEADERS];
	size_t count;
	char *body; /* owned, NUL-terminated */
	size_t body_len;
};

enum request_state {
	REQUEST_PARTIAL,
	REQUEST_COMPLETE,
	REQUEST_BROKEN,
};

/* Takes one request out of what came, if it is all there. */
enum request_state request_read(struct request *r, struct evbuffer *in);
void request_done(struct request *r);
/* The first of that name, or "". */
const char *request_header(const struct request *r, const char *name);
