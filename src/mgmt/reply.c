/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/reply.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "codec/problem.h"
#include "http/server.h"

enum { REASON_MIN = 20 };

/* The one table from kinds to statuses. retry_after (seconds) stands in where a status always has
 * Retry-After and the error does not know a time. */
static const struct reply_row {
	int status;
	int retry_after;
} rows[] = {
    [ERR_NONE] = {200, 0},
    [ERR_BAD_REQUEST] = {400, 0},
    [ERR_FORBIDDEN] = {403, 0},
    [ERR_NOT_FOUND] = {404, 0},
    [ERR_METHOD] = {405, 0},
    [ERR_NO_LENGTH] = {411, 0},
    [ERR_TOO_LARGE] = {413, 0},
    [ERR_BAD_CSR] = {415, 0},
    [ERR_VALIDATION] = {421, 0},
    [ERR_RATE_LIMITED] = {429, 60},
    [ERR_INTERNAL] = {500, 0},
    [ERR_CONFIG] = {500, 0},
    [ERR_ACCOUNT] = {500, 0},
    [ERR_UNREACHABLE] = {503, 30},
    [ERR_UPSTREAM] = {503, 30},
    [ERR_BUSY] = {503, 30},
    [ERR_TIMEOUT] = {504, 30},
    [ERR_CANCELLED] = {503, 30},
};
static_assert(sizeof(rows) / sizeof(rows[0]) == ERR_KIND_COUNT, "a status for each kind");

int
reply_status(enum err_kind kind)
{
	return rows[kind].status;
}

/* Where a text that is too long ends best: before the last ": " that leaves something to say, else
 * between two words. */
static size_t
cut_at(const char *text, size_t n)
{
	size_t word = n;

	for (size_t i = n - 1; i >= REASON_MIN; i--) {
		if (text[i] == ' ' && text[i - 1] == ':')
			return i - 1;
		if (text[i] == ' ' && word == n)
			word = i;
	}
	return word;
}

const char *
reply_reason(const char *detail, char out[REPLY_REASON_MAX + 1])
{
	size_t n = strnlen(detail, REPLY_REASON_MAX);

	if (detail[n] != '\0')
		n = cut_at(detail, n);
	for (size_t i = 0; i < n; i++)
		out[i] = detail[i] >= 0x20 && detail[i] < 0x7f ? detail[i] : '?';
	out[n] = '\0';
	return out;
}

static bool
wants_problem(const struct http_exchange *x)
{
	const char *accept = http_exchange_header(x, "Accept");

	return accept != NULL && strcasestr(accept, "application/problem+json") != NULL;
}

/* One line, whatever the CA's detail holds, and nothing a terminal obeys (C1 controls neither). */
static char *
body_line(const char *detail)
{
	char *line = xasprintf("%s\n", detail);

	for (char *p = line; p[1] != '\0';) {
		size_t n = utf8_printable(p);
		if (n == 0)
			*p = ' ';
		p += n == 0 ? 1 : n;
	}
	return line;
}

static void
send_error(struct http_exchange *x, int status, const char *detail, int64_t retry_after,
    const char *allow, bool close)
{
	char reason[REPLY_REASON_MAX + 1];
	char seconds[24];
	size_t n = 0;
	bool problem = wants_problem(x);
	struct http_reply reply = {.status = status, .close = close};

	reply.reason = reply_reason(detail, reason);
	char *body = problem ? problem_text(status, reason, detail) : body_line(detail);
	reply.content_type = problem ? "application/problem+json" : "text/plain; charset=utf-8";
	reply.body = body;
	reply.body_len = strlen(body);
	if (retry_after > 0) {
		snprintf(seconds, sizeof(seconds), "%lld", (long long)retry_after);
		reply.headers[n++] = (struct http_header){"Retry-After", seconds};
	}
	if (allow != NULL)
		reply.headers[n++] = (struct http_header){"Allow", allow};
	http_exchange_reply(x, &reply);
	free(body);
}

void
reply_error(struct http_exchange *x, const struct err *e, const char *allow)
{
	const struct reply_row *row = &rows[e->kind];
	int64_t retry_after = e->retry_after > 0 ? e->retry_after : row->retry_after;

	send_error(x, row->status, e->detail, retry_after, allow, false);
}

void
reply_refused(struct http_exchange *x, int status, const char *detail)
{
	send_error(x, status, detail, 0, NULL, true);
}

void
reply_text(struct http_exchange *x, int status, const char *text)
{
	struct http_reply reply = {
	    .status = status,
	    .content_type = "text/plain; charset=utf-8",
	    .body = text,
	    .body_len = strlen(text),
	};
	http_exchange_reply(x, &reply);
}
