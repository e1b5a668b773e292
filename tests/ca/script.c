/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "answer.h"
#include "base/alloc.h"
#include "base/clock.h"

/* Time for the peer to read what came before a reset. */
enum { SETTLE_MS = 30, SCRIPT_MAX = 768 << 20, CHUNKS = 4, FILLER_LINE = 1000 };

static const struct {
	int status;
	const char *reason;
} reasons[] = {
    {100, "Continue"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {415, "Unsupported Media Type"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

static const char *
reason_of(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Whatever";
}

static struct step *
add_step(struct script *s, enum step_kind kind)
{
	struct step *step = &s->steps[s->count];

	if (s->count == SCRIPT_STEPS)
		abort();
	s->count++;
	*step = (struct step){.kind = kind};
	buf_init(&step->bytes, SCRIPT_MAX);
	return step;
}

static void
add_wait(struct script *s, long ms)
{
	add_step(s, STEP_WAIT)->ms = ms;
}

/* Bytes at a pace; what can be sent at once goes into one step with what stands before it. */
static void
add_bytes(struct script *s, const char *p, size_t n, struct pace pace)
{
	struct step *last = s->count > 0 ? &s->steps[s->count - 1] : NULL;

	if (n == 0)
		return;
	if (pace.ms > 0) {
		last = add_step(s, STEP_DRIP);
		last->ms = pace.ms;
		last->piece = pace.bytes > 0 ? pace.bytes : 1;
	} else if (last == NULL || last->kind != STEP_SEND) {
		last = add_step(s, STEP_SEND);
	}
	buf_add(&last->bytes, p, n);
}

static void
add_end(struct script *s, bool reset)
{
	add_wait(s, SETTLE_MS);
	add_step(s, reset ? STEP_RESET : STEP_DROP);
}

static void
put_date(struct buf *out)
{
	static time_t last;
	static char line[64];
	time_t now = (time_t)clock_wall();
	struct tm tm;

	if (now != last) {
		gmtime_r(&now, &tm);
		strftime(line, sizeof(line), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
		last = now;
	}
	buf_adds(out, line);
}

static void
put_framing(struct buf *out, const struct answer *a)
{
	switch (a->delivery.framing) {
	case FRAMING_LENGTH:
		if (a->status != 204)
			buf_addf(out, "Content-Length: %ld\r\n",
			    (long)a->body.len + a->delivery.length_lie);
		break;
	case FRAMING_CHUNKED:
	case FRAMING_BAD_CHUNK:
		buf_adds(out, "Transfer-Encoding: chunked\r\n");
		break;
	case FRAMING_CLOSE:
	case FRAMING_ENDLESS:
		break;
	}
	if (a->delivery.announce)
		buf_adds(out, "Connection: close\r\n");
}

static void
put_filler(struct buf *out, size_t bytes)
{
	for (size_t i = 0; i * FILLER_LINE < bytes; i++)
		buf_addf(out, "X-Filler-%zu: %0*d\r\n", i, FILLER_LINE, 0);
}

static void
put_head(struct buf *out, const struct answer *a)
{
	buf_addf(out, "HTTP/1.1 %d %s\r\nServer: testca\r\n", a->status, reason_of(a->status));
	put_date(out);
	if (a->content_type[0] != '\0')
		buf_addf(out, "Content-Type: %s\r\n", a->content_type);
	buf_add(out, a->headers.data != NULL ? a->headers.data : "", a->headers.len);
	put_filler(out, a->delivery.filler);
	put_framing(out, a);
	buf_adds(out, "\r\n");
}

/* The body as it goes over the wire. */
static void
put_body(struct buf *out, const struct answer *a)
{
	const char *p = a->body.data;
	size_t left = a->body.len, piece = left / CHUNKS + 1;

	if (a->delivery.framing == FRAMING_BAD_CHUNK) {
		buf_adds(out, "zz\r\n");
		buf_add(out, p, left);
		return;
	}
	if (a->delivery.framing != FRAMING_CHUNKED) {
		buf_add(out, p != NULL ? p : "", left);
		return;
	}
	while (left > 0) {
		size_t n = left < piece ? left : piece;

		buf_addf(out, "%zx\r\n", n);
		buf_add(out, p, n);
		buf_adds(out, "\r\n");
		p += n;
		left -= n;
	}
	buf_adds(out, "0\r\n\r\n");
}

static void
add_interim(struct script *s, int status)
{
	char text[128];

	snprintf(text, sizeof(text), "HTTP/1.1 %d %s\r\n%s\r\n", status, reason_of(status),
	    status == 103 ? "Link: </terms>; rel=preload\r\n" : "");
	add_bytes(s, text, strlen(text), (struct pace){0});
	add_wait(s, SETTLE_MS);
}

/* One copy; false if it ends the connection. */
static bool
add_copy(struct script *s, const struct delivery *d, const struct buf *head, const struct buf *body)
{
	add_bytes(s, head->data, d->cut == CUT_IN_HEAD ? head->len / 2 : head->len, d->head);
	if (d->cut == CUT_BODY || d->cut == CUT_NONE)
		add_bytes(s, body->data, d->cut == CUT_BODY ? body->len / 2 : body->len, d->body);
	if (d->cut != CUT_NONE)
		add_end(s, d->reset);
	return d->cut == CUT_NONE;
}

static void
add_answer(struct script *s, const struct answer *a, bool head_only)
{
	const struct delivery *d = &a->delivery;
	struct buf head, body;
	bool open = true;

	buf_init(&head, SCRIPT_MAX);
	buf_init(&body, SCRIPT_MAX);
	if (d->not_http)
		buf_adds(&head, "\x15\x03 220 this.example ESMTP ready\r\n\r\n");
	else
		put_head(&head, a);
	if (!head_only && !d->not_http)
		put_body(&body, a);
	for (int i = 0; i < d->copies && open; i++)
		open = add_copy(s, d, &head, &body);
	buf_done(&head);
	buf_done(&body);
	if (!open)
		return;
	if (d->framing == FRAMING_ENDLESS)
		add_step(s, STEP_STALL);
	else if (d->close || d->framing == FRAMING_CLOSE)
		add_step(s, STEP_CLOSE);
}

void
script_write(struct script *s, const struct answer *a, bool head_only)
{
	const struct delivery *d = &a->delivery;

	s->count = s->at = s->sent = 0;
	if (d->delay_ms > 0)
		add_wait(s, d->delay_ms);
	if (d->silent) {
		add_step(s, STEP_STALL);
		return;
	}
	if (d->cut == CUT_ALL) {
		add_end(s, d->reset);
		return;
	}
	if (d->interim > 0)
		add_interim(s, d->interim);
	add_answer(s, a, head_only);
}

void
script_done(struct script *s)
{
	for (size_t i = 0; i < s->count; i++)
		buf_done(&s->steps[i].bytes);
	s->count = s->at = s->sent = 0;
}
