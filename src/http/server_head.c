/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/server_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

/* RFC 9110 5.6.2 */
static bool
is_tchar(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_token(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_tchar(s[i]))
			return false;
	}
	return len > 0;
}

enum head_scan
head_scan(const char *data, size_t len, size_t seen, size_t *ret_len)
{
	/* A TLS client, or noise: it would otherwise hold the connection until its time is over. */
	if (len > 0 && !is_tchar(data[0]))
		return HEAD_MALFORMED;
	for (size_t i = seen; i < len; i++) {
		if (data[i] != '\n')
			continue;
		if (i < 1 || data[i - 1] != '\r')
			return HEAD_MALFORMED;
		if (i >= 3 && data[i - 2] == '\n') {
			*ret_len = i + 1;
			return HEAD_COMPLETE;
		}
	}
	return HEAD_MORE;
}

/* The next line, its CRLF replaced by a NUL. There is one: the scan saw to it. */
static char *
next_line(char **rest, size_t *ret_len)
{
	char *line = *rest;
	char *end = strchr(line, '\n');

	*rest = end + 1;
	*ret_len = (size_t)(end - 1 - line);
	line[*ret_len] = '\0';
	return line;
}

static int
parse_version(struct request_head *head, const char *version, const char **ret_detail)
{
	if (strcmp(version, "HTTP/1.1") == 0) {
		head->http_1_1 = true;
		return 0;
	}
	if (strcmp(version, "HTTP/1.0") == 0)
		return 0;
	if (strncmp(version, "HTTP/", 5) == 0 && version[5] >= '2' && version[5] <= '9')
		return head_refuse(ret_detail, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	return head_refuse(
	    ret_detail, 400, "the request line does not end in HTTP/1.1 or HTTP/1.0");
}

/* Origin form only (RFC 9112 3.2.1), raw. */
static int
check_target(const char *target, const char **ret_detail)
{
	if (target[0] != '/')
		return head_refuse(
		    ret_detail, 400, "the request target is not a path that begins with /");
	/* evhttp would take what follows for a host name. */
	if (target[1] == '/')
		return head_refuse(ret_detail, 404, "there is nothing below //");
	for (const char *p = target; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || *p == '#')
			return head_refuse(
			    ret_detail, 400, "a character in the request target is not allowed");
	}
	return 0;
}

static int
parse_request_line(struct request_head *head, char *line, const char **ret_detail)
{
	char *target = strchr(line, ' ');
	char *version = target == NULL ? NULL : strchr(target + 1, ' ');
	int status;

	if (version == NULL || !is_token(line, (size_t)(target - line)))
		return head_refuse(ret_detail, 400, "the request line is malformed");
	*target++ = '\0';
	*version++ = '\0';
	head->method = line;
	head->target = target;
	status = parse_version(head, version, ret_detail);
	if (status == 0)
		status = check_target(target, ret_detail);
	if (status != 0)
		return status;
	/* evhttp takes a request line of less than 14 bytes, or an authority after CONNECT, apart
	 * differently: neither is a method anybody here answers. */
	if (strlen(line) < 3 || strcmp(line, "CONNECT") == 0)
		return head_refuse(ret_detail, 501, "this method is not known here");
	return 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
value_is_clean(const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
		if ((*p < ' ' && *p != '\t') || *p == 0x7f)
			return false;
	}
	return true;
}

static int
parse_field(struct request_head *head, char *line, size_t len, const char **ret_detail)
{
	char *colon = strchr(line, ':');
	char *value;

	if (is_blank(line[0]))
		return head_refuse(ret_detail, 400, "a header is folded over several lines");
	if (colon == NULL)
		return head_refuse(ret_detail, 400, "a header has no colon");
	if (!is_token(line, (size_t)(colon - line)))
		return head_refuse(
		    ret_detail, 400, "a header name is empty or has a character not allowed");
	*colon = '\0';
	value = colon + 1;
	while (is_blank(*value))
		value++;
	for (char *end = line + len; end > value && is_blank(end[-1]);)
		*--end = '\0';
	if (!value_is_clean(value))
		return head_refuse(ret_detail, 400, "a header value has a control character");
	if (head->field_count == HEAD_FIELDS_MAX)
		return head_refuse(ret_detail, 400, "there are too many headers");
	head->fields[head->field_count++] = (struct head_field){line, value};
	return 0;
}

/* Each field takes a line; a head of usual size costs no more than it has. */
static size_t
fields_at_most(const char *rest)
{
	size_t n = 1;

	while ((rest = strchr(rest, '\n')) != NULL && n < HEAD_FIELDS_MAX) {
		rest++;
		n++;
	}
	return n;
}

static int
parse_fields(struct request_head *head, char *rest, const char **ret_detail)
{
	char *line;
	size_t len;
	int status;

	head->fields = xcalloc(fields_at_most(rest), sizeof(*head->fields));
	for (;;) {
		line = next_line(&rest, &len);
		if (len == 0)
			return 0;
		status = parse_field(head, line, len, ret_detail);
		if (status != 0)
			return status;
	}
}

const char *
head_field(const struct request_head *head, const char *name)
{
	for (size_t i = 0; i < head->field_count; i++) {
		if (strcasecmp(head->fields[i].name, name) == 0)
			return head->fields[i].value;
	}
	return NULL;
}

int
head_parse(struct request_head *head, const char *data, size_t len,
    const struct head_limits *limits, const char **ret_detail)
{
	char *rest;
	char *line;
	size_t line_len;
	int status;

	*head = (struct request_head){.method = "", .target = "", .content_length = -1};
	if (memchr(data, '\0', len) != NULL)
		return head_refuse(ret_detail, 400, "there is a NUL byte in the request");
	head->text = xmemdup(data, len);
	rest = head->text;
	line = next_line(&rest, &line_len);
	status = parse_request_line(head, line, ret_detail);
	if (status == 0)
		status = parse_fields(head, rest, ret_detail);
	return status == 0 ? head_check(head, limits, ret_detail) : status;
}

void
head_done(struct request_head *head)
{
	free(head->text);
	free(head->fields);
	*head = (struct request_head){.method = "", .target = "", .content_length = -1};
}
