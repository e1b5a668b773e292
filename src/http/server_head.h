/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The head of a request, parsed and checked strictly (RFC 9112) from its raw
 * bytes, before evhttp sees any of them. Pure: no socket, no libevent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEAD_FIELDS_MAX = 100 };

struct head_field {
	const char *name;
	const char *value;
};

struct request_head {
	char *text; /* owned: what everything below points into */
	const char
	    *method; /* never NULL after head_parse; "" where parsing did not come that far */
	const char *target;
	bool http_1_1;
	struct head_field *fields; /* owned */
	size_t field_count;
	int64_t content_length; /* -1: none */
	bool body_ignored;      /* it has a body that evhttp will not read */
};

struct head_limits {
	size_t max_headers;
	size_t max_body;
	/* For this target, at most max_body; NULL: max_body. */
	size_t (*max_body_of)(void *arg, const char *target);
	void *arg;
	bool need_length; /* POST wants Content-Length */
};

/* Looks for the end of the head in data, of which the first `seen` bytes were looked at before. */
enum head_scan {
	HEAD_MORE,      /* not complete yet */
	HEAD_COMPLETE,  /* *ret_len bytes, the blank line included */
	HEAD_MALFORMED, /* never will be: no HTTP, or a line that does not end in CRLF */
};
enum head_scan head_scan(const char *data, size_t len, size_t seen, size_t *ret_len);

/* 0, or the status to refuse the request with; *ret_detail then says why in one constant sentence.
 * *head is filled as far as parsing came, in both cases; head_done frees it. */
int head_parse(struct request_head *head, const char *data, size_t len,
    const struct head_limits *limits, const char **ret_detail);
void head_done(struct request_head *head);

/* The part of head_parse that comes last: Host, the framing of the body, expectations. */
int head_check(
    struct request_head *head, const struct head_limits *limits, const char **ret_detail);
/* Sets *ret_detail and returns status. */
int head_refuse(const char **ret_detail, int status, const char *detail);

/* The first field of that name (any case), or NULL. */
const char *head_field(const struct request_head *head, const char *name);
