/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADERS_MAX = 1 << 16, BODY_MAX = 512 << 20, DETAIL_MAX = 512 };

void
answer_init(struct answer *a)
{
	*a = (struct answer){.status = 200, .delivery = {.copies = 1}};
	buf_init(&a->headers, HEADERS_MAX);
	buf_init(&a->body, BODY_MAX);
}

void
answer_done(struct answer *a)
{
	buf_done(&a->headers);
	buf_done(&a->body);
}

void
answer_clear(struct answer *a)
{
	answer_done(a);
	buf_init(&a->headers, HEADERS_MAX);
	buf_init(&a->body, BODY_MAX);
	a->status = 200;
	a->content_type[0] = '\0';
	a->problem[0] = '\0';
}

void
answer_header(struct answer *a, const char *name, const char *fmt, ...)
{
	char value[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	buf_addf(&a->headers, "%s: %s\r\n", name, value);
}

void
answer_text(struct answer *a, int status, const char *type, const char *text)
{
	a->status = status;
	snprintf(a->content_type, sizeof(a->content_type), "%s", type);
	buf_adds(&a->body, text);
}

void
answer_json(struct answer *a, int status, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);

	answer_text(a, status, "application/json", text);
	free(text);
	json_decref(body);
}

json_t *
answer_problem_json(const char *type, int status, const char *detail)
{
	char urn[80];

	snprintf(urn, sizeof(urn), "urn:ietf:params:acme:error:%s", type);
	return json_pack("{s:s, s:s, s:i}", "type", urn, "detail", detail, "status", status);
}

bool
answer_problem(struct answer *a, int status, const char *type, const char *fmt, ...)
{
	char detail[DETAIL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	answer_clear(a);
	answer_json(a, status, answer_problem_json(type, status, detail));
	snprintf(a->content_type, sizeof(a->content_type), "application/problem+json");
	snprintf(a->problem, sizeof(a->problem), "%s", type);
	return false;
}
