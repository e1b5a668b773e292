/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "answer.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "fault.h"

enum { HUGE_BYTES = 50 << 20, DEPTH = 100000, GARBAGE_BYTES = 500 };

static int
status_of(const struct fault *f, int otherwise)
{
	return (int)fault_number(f, "status", otherwise);
}

void
fault_status(const struct fault *f, struct answer *a)
{
	const char *location = fault_string(f, "location", NULL);

	answer_clear(a);
	answer_text(a, status_of(f, 500), "text/plain", "told to say so\n");
	if (location != NULL)
		answer_header(a, "Location", "%s", location);
	/* Neither has a body. */
	if (a->status == 204 || a->status == 304) {
		buf_done(&a->body);
		a->content_type[0] = '\0';
	}
}

void
fault_problem(const struct fault *f, struct answer *a)
{
	int status = status_of(f, 400);
	const char *type = fault_string(f, "type", "malformed");
	const char *detail = fault_string(f, "detail", "told to say so");
	const char *retry = fault_string(f, "retry-after", NULL);
	json_t *body = answer_problem_json(type, status, detail);
	json_t *subproblems = json_object_get(f->params, "subproblems");

	answer_problem(a, status, type, "%s", detail);
	if (subproblems != NULL) {
		json_object_set(body, "subproblems", subproblems);
		answer_clear(a);
		answer_json(a, status, json_incref(body));
	}
	json_decref(body);
	snprintf(a->content_type, sizeof(a->content_type), "%s",
	    fault_string(f, "content-type", "application/problem+json"));
	if (retry != NULL)
		answer_header(a, "Retry-After", "%s", retry);
}

static void
put_date(struct answer *a, long seconds)
{
	time_t when = (time_t)clock_wall() + seconds;
	char text[64];
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	answer_header(a, "Retry-After", "%s", text);
}

void
fault_busy(const struct fault *f, struct answer *a)
{
	int status = status_of(f, 503);
	const char *retry = fault_string(f, "retry-after", NULL);

	answer_problem(
	    a, status, status == 429 ? "rateLimited" : "serverInternal", "%s", "told to be busy");
	if (json_object_get(f->params, "date-in") != NULL)
		put_date(a, fault_number(f, "date-in", 0));
	else if (retry != NULL)
		answer_header(a, "Retry-After", "%s", retry);
}

void
fault_bad_nonce(const struct fault *f, struct answer *a)
{
	answer_problem(a, 400, "badNonce", "told not to like this nonce");
}

void
fault_html(const struct fault *f, struct answer *a)
{
	answer_clear(a);
	answer_text(a, status_of(f, 200), "text/html",
	    "<!DOCTYPE html>\n<html><head><title>Sorry</title></head>\n"
	    "<body><h1>Bad Gateway</h1>{\"status\":\"valid\"}</body></html>\n");
}

void
fault_empty(const struct fault *f, struct answer *a)
{
	answer_clear(a);
	a->status = status_of(f, 200);
}

static void
fill(struct answer *a, const char *before, char c, size_t n, const char *after)
{
	char *bytes = xmalloc(n);

	memset(bytes, c, n);
	buf_adds(&a->body, before);
	buf_add(&a->body, bytes, n);
	buf_adds(&a->body, after);
	free(bytes);
}

void
fault_huge(const struct fault *f, struct answer *a)
{
	answer_clear(a);
	answer_text(a, status_of(f, 200), "application/json", "");
	fill(a, "{\"status\":\"", 'a', (size_t)fault_number(f, "bytes", HUGE_BYTES), "\"}");
}

void
fault_nested(const struct fault *f, struct answer *a)
{
	size_t depth = (size_t)fault_number(f, "depth", DEPTH);

	answer_clear(a);
	answer_text(a, status_of(f, 200), "application/json", "");
	fill(a, "{\"status\":", '[', depth, "1");
	fill(a, "", ']', depth, "}");
}

void
fault_garbage(const struct fault *f, struct answer *a)
{
	size_t n = (size_t)fault_number(f, "bytes", GARBAGE_BYTES);
	char *bytes = xmalloc(n);

	random_bytes(bytes, n);
	answer_clear(a);
	answer_text(a, status_of(f, 200), "application/json", "");
	buf_add(&a->body, bytes, n);
	free(bytes);
}

void
fault_json(const struct fault *f, struct answer *a)
{
	json_t *body = json_object_get(f->params, "body");

	answer_clear(a);
	answer_json(a, status_of(f, 200), body != NULL ? json_incref(body) : json_null());
}

void
fault_cut_json(const struct fault *f, struct answer *a)
{
	a->body.len /= 2;
}

void
fault_nul(const struct fault *f, struct answer *a)
{
	struct buf honest = a->body;
	size_t third = honest.len / 3;

	buf_init(&a->body, honest.max);
	for (size_t part = 0; part < 3; part++) {
		size_t from = part * third, to = part == 2 ? honest.len : from + third;

		buf_add(&a->body, honest.data + from, to - from);
		buf_add(&a->body, "\0\0", 2);
	}
	buf_done(&honest);
}

void
fault_content_type(const struct fault *f, struct answer *a)
{
	snprintf(a->content_type, sizeof(a->content_type), "%s", fault_string(f, "value", ""));
}

/* Takes the lines of one header out. */
static void
remove_header(struct answer *a, const char *name)
{
	struct buf lines = a->headers;
	size_t n = strlen(name);

	buf_init(&a->headers, lines.max);
	for (const char *p = lines.data, *end; p != NULL && *p != '\0'; p = end + 2) {
		end = strstr(p, "\r\n");
		if (strncasecmp(p, name, n) != 0 || p[n] != ':')
			buf_add(&a->headers, p, (size_t)(end + 2 - p));
	}
	buf_done(&lines);
	if (strcasecmp(name, "Replay-Nonce") == 0)
		a->nonce = NONCE_NONE;
}

void
fault_header(const struct fault *f, struct answer *a)
{
	const char *name = fault_string(f, "header", "X-Nothing");

	remove_header(a, name);
	answer_header(a, name, "%s", fault_string(f, "value", ""));
}

void
fault_no_header(const struct fault *f, struct answer *a)
{
	remove_header(a, fault_string(f, "header", "Location"));
}

void
fault_no_nonce(const struct fault *f, struct answer *a)
{
	a->nonce = NONCE_NONE;
}

void
fault_used_nonce(const struct fault *f, struct answer *a)
{
	a->nonce = NONCE_USED;
}
