/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "answers.h"

#include <ctype.h>
#include <strings.h>

#include "fuzz.h"

static const char VERSION[] = "HTTP/1.";

enum { STATUS_LINE_MIN = 13 }; /* HTTP/1.1 NNN and a blank */

struct text {
	const char *p;
	const char *end;
};

/* The next line without its CRLF. False if it is not there to its end. */
static bool
take_line(struct text *t, const char **ret, size_t *ret_len)
{
	const char *lf = memchr(t->p, '\n', (size_t)(t->end - t->p));

	if (lf == NULL)
		return false;
	must(lf > t->p && lf[-1] == '\r');
	*ret = t->p;
	*ret_len = (size_t)(lf - 1 - t->p);
	t->p = lf + 1;
	for (size_t i = 0; i < *ret_len; i++)
		must((*ret)[i] >= ' ' && (*ret)[i] <= '~');
	return true;
}

static int
status_of(const char *line, size_t len)
{
	must(len >= STATUS_LINE_MIN && memcmp(line, VERSION, strlen(VERSION)) == 0);
	must((line[7] == '0' || line[7] == '1') && line[8] == ' ' && line[12] == ' ');
	must(line[9] >= '1' && line[9] <= '5');
	must(isdigit((unsigned char)line[10]) && isdigit((unsigned char)line[11]));
	return (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
}

static bool
take_fields(struct text *t, struct answer *a)
{
	const char *line;
	size_t len;

	a->head = t->p;
	for (;;) {
		if (!take_line(t, &line, &len))
			return false;
		if (len == 0)
			break;
		must(line[0] != ':' && line[0] != ' ' && memchr(line, ':', len) != NULL);
	}
	a->head_len = (size_t)(line - a->head);
	return true;
}

/* No body of ours begins like a reply, so that one to HEAD is told from one to GET. */
static bool
next_follows(const struct text *t)
{
	size_t rest = (size_t)(t->end - t->p), n = strlen(VERSION);

	return rest > 0 && memcmp(t->p, VERSION, rest < n ? rest : n) == 0;
}

static bool
skip_body(struct text *t, const struct answer *a)
{
	long length = answer_number(a, "Content-Length");

	if (a->status == 100)
		return true;
	must(length >= 0);
	if (next_follows(t))
		return true;
	if (t->end - t->p < length)
		return false;
	t->p += length;
	return true;
}

size_t
answers_check(
    const char *text, size_t len, void (*fn)(void *arg, const struct answer *a), void *arg)
{
	struct text t = {text, text};
	struct answer a;
	const char *line;
	size_t line_len, n = 0;

	if (len > 0)
		t.end += len;
	while (t.p < t.end && take_line(&t, &line, &line_len)) {
		a.status = status_of(line, line_len);
		if (!take_fields(&t, &a))
			break;
		n += a.status != 100;
		if (fn != NULL && a.status != 100)
			fn(arg, &a);
		if (!skip_body(&t, &a))
			break;
	}
	return n;
}

/* The value of a header and what follows, or NULL. */
static const char *
field(const struct answer *a, const char *name)
{
	size_t n = strlen(name);
	const char *p = a->head, *end = a->head + a->head_len;

	while (p < end) {
		if ((size_t)(end - p) > n && strncasecmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1;
		p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
	}
	return NULL;
}

long
answer_number(const struct answer *a, const char *name)
{
	const char *value = field(a, name);

	return value == NULL ? -1 : strtol(value, NULL, 10);
}

bool
answer_closes(const struct answer *a)
{
	const char *value = field(a, "Connection");

	return value != NULL && strncmp(value, " close\r\n", 8) == 0;
}
