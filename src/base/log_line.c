/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log_line.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_AUDIT] = "audit",
};

/* Of each part so many bytes are taken; each becomes six at most. */
enum {
	MESSAGE_MAX = 2048,
	NAMES_MAX = 1024,
	VALUE_MAX = 256,
	VALUES = 6,
	FRAME = 512,
	TAIL = 32, /* what ends a line that is full */
	ALL_NAMES = 100 * 256,
};
static_assert((MESSAGE_MAX + NAMES_MAX + VALUES * VALUE_MAX) * 6 + FRAME <= LOG_LINE_MAX,
    "the longest line fits");
static_assert((NAMES_MAX + VALUES * VALUE_MAX) * 6 + FRAME + ALL_NAMES <= LOG_LINE_MAX,
    "and so does a decision on as many names as there can be");

const char *
log_level_name(enum log_level level)
{
	assert(level <= LOG_LEVEL_AUDIT);
	return level_names[level];
}

static void
add(struct log_line *line, const char *p, size_t n)
{
	assert(n < sizeof(line->text) - line->len);
	memcpy(line->text + line->len, p, n);
	line->len += n;
	line->text[line->len] = '\0';
}

static void
adds(struct log_line *line, const char *s)
{
	add(line, s, strlen(s));
}

typedef void escape_fn(struct log_line *line, unsigned char c);

static void
escape_text(struct log_line *line, unsigned char c)
{
	char out[8];

	snprintf(out, sizeof(out), "\\x%02x", c);
	adds(line, c == '\n' ? "\\n" : out);
}

static void
escape_json(struct log_line *line, unsigned char c)
{
	char out[8];

	/* A byte that is no character has no code: it becomes U+FFFD. */
	snprintf(out, sizeof(out), "\\u%04x", c < 0x80 ? c : 0xfffd);
	adds(line, out);
}

/* How many of the first max bytes of text are taken as they are. Nearly all text is. */
static size_t
plain_length(const char *text, size_t max, bool quoted)
{
	size_t n = 0;

	while (n < max && text[n] >= ' ' && text[n] <= '~' &&
	    !(quoted && (text[n] == '"' || text[n] == '\\')))
		n++;
	return n;
}

/* The first character of text, which is not taken as it is. Returns its length. */
static size_t
add_special(struct log_line *line, const char *text, escape_fn *escape)
{
	size_t n = utf8_printable(text);

	if (n == 0)
		escape(line, (unsigned char)*text);
	else if (n == 1)
		add(line, (const char[]){'\\', *text}, 2);
	else
		add(line, text, n);
	return n > 0 ? n : 1;
}

/* At most max bytes of text. quoted: within quotation marks, which get a backslash. */
static void
add_escaped(struct log_line *line, const char *text, size_t max, bool quoted, escape_fn *escape)
{
	size_t limit = sizeof(line->text) - TAIL;
	size_t n;

	for (size_t done = 0; *text != '\0' && done < max && line->len < limit; done += n) {
		size_t room = limit - line->len;

		n = plain_length(text, max - done < room ? max - done : room, quoted);
		if (n > 0)
			add(line, text, n);
		else
			n = add_special(line, text, escape);
		text += n;
	}
	if (*text != '\0')
		adds(line, "...");
}

static void
add_time(struct log_line *line, int64_t when)
{
	time_t seconds = (time_t)when;
	struct tm tm;
	char out[40];

	if (gmtime_r(&seconds, &tm) != NULL && strftime(out, sizeof(out), "%FT%TZ", &tm) > 0)
		adds(line, out);
}

/* Calls fn for every member of the context that is set. */
static void
each_member(struct log_line *line, const struct log_context *ctx,
    void (*fn)(struct log_line *line, const char *name, const char *value, size_t max))
{
	const struct {
		const char *name;
		const char *value;
		size_t max;
	} members[] = {
	    {"peer", ctx->peer, VALUE_MAX},
	    {"order", ctx->order, VALUE_MAX},
	    {"names", ctx->names, NAMES_MAX},
	    {"block", ctx->block, VALUE_MAX},
	    {"key", ctx->key, VALUE_MAX},
	    {"serial", ctx->serial, VALUE_MAX},
	    {"rule", ctx->rule, VALUE_MAX},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (members[i].value != NULL)
			fn(line, members[i].name, members[i].value, members[i].max);
}

/* Values with blanks are quoted, so that a line can be taken apart again. */
static void
add_pair(struct log_line *line, const char *name, const char *value, size_t max)
{
	bool quote = *value == '\0' || strpbrk(value, " \"") != NULL;

	adds(line, " ");
	adds(line, name);
	adds(line, quote ? "=\"" : "=");
	add_escaped(line, value, max, quote, escape_text);
	if (quote)
		adds(line, "\"");
}

static void
add_member(struct log_line *line, const char *name, const char *value, size_t max)
{
	adds(line, ",\"");
	adds(line, name);
	adds(line, "\":\"");
	add_escaped(line, value, max, true, escape_json);
	adds(line, "\"");
}

static void
add_plain(struct log_line *line, const struct log_context *ctx, const char *message)
{
	add_escaped(line, message, MESSAGE_MAX, false, escape_text);
	if (ctx != NULL)
		each_member(line, ctx, add_pair);
}

void
log_line_plain(struct log_line *line, const struct log_context *ctx, const char *message)
{
	line->len = 0;
	add_plain(line, ctx, message);
}

void
log_line_text(struct log_line *line, int64_t when, enum log_level level,
    const struct log_context *ctx, const char *message)
{
	line->len = 0;
	add_time(line, when);
	adds(line, " ");
	adds(line, log_level_name(level));
	adds(line, " ");
	add_plain(line, ctx, message);
	adds(line, "\n");
}

void
log_line_json(struct log_line *line, int64_t when, enum log_level level,
    const struct log_context *ctx, const char *message)
{
	line->len = 0;
	adds(line, "{\"time\":\"");
	add_time(line, when);
	adds(line, "\",\"level\":\"");
	adds(line, log_level_name(level));
	adds(line, "\"");
	add_member(line, "message", message, MESSAGE_MAX);
	if (ctx != NULL)
		each_member(line, ctx, add_member);
	adds(line, "}\n");
}

void
log_line_audit(struct log_line *line, int64_t when, const struct log_context *ctx,
    const char *names, const char *decision, const char *detail)
{
	struct log_context others = ctx != NULL ? *ctx : (struct log_context){0};

	if (names == NULL)
		names = others.names;
	others.names = NULL;
	line->len = 0;
	adds(line, "{\"time\":\"");
	add_time(line, when);
	adds(line, "\"");
	add_member(line, "decision", decision, VALUE_MAX);
	each_member(line, &others, add_member);
	if (detail != NULL)
		add_member(line, "detail", detail, NAMES_MAX);
	if (names != NULL)
		add_member(line, "names", names, SIZE_MAX);
	adds(line, "}\n");
}
