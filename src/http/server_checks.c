/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a head that could be parsed must and must not say. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/server_head.h"

int
head_refuse(const char **ret_detail, int status, const char *detail)
{
	*ret_detail = detail;
	return status;
}

static size_t
count_fields(const struct request_head *head, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < head->field_count; i++)
		n += strcasecmp(head->fields[i].name, name) == 0;
	return n;
}

/* RFC 9112 3.2 */
static int
check_host(const struct request_head *head, const char **ret_detail)
{
	const char *host = head_field(head, "Host");
	size_t n = count_fields(head, "Host");

	if (n > 1)
		return head_refuse(ret_detail, 400, "there is more than one Host header");
	if (n == 0 && head->http_1_1)
		return head_refuse(ret_detail, 400, "there is no Host header");
	if (n == 1 && strcspn(host, " \t,/@?#\\\"<>") != strlen(host))
		return head_refuse(ret_detail, 400, "the Host header is no host name");
	return 0;
}

static int
check_expect(const struct request_head *head, const char **ret_detail)
{
	for (size_t i = 0; head->http_1_1 && i < head->field_count; i++) {
		if (strcasecmp(head->fields[i].name, "Expect") == 0 &&
		    strcasecmp(head->fields[i].value, "100-continue") != 0)
			return head_refuse(
			    ret_detail, 417, "no expectation but 100-continue can be met");
	}
	return 0;
}

static int
parse_length(struct request_head *head, const char **ret_detail)
{
	const char *value = head_field(head, "Content-Length");

	if (value == NULL)
		return 0;
	if (count_fields(head, "Content-Length") > 1)
		return head_refuse(ret_detail, 400, "there is more than one Content-Length");
	if (value[0] == '\0' || strspn(value, "0123456789") != strlen(value))
		return head_refuse(ret_detail, 400, "Content-Length is not a number");
	if (strlen(value) > 15)
		return head_refuse(ret_detail, 413, "the body is too large");
	head->content_length = strtoll(value, NULL, 10);
	return 0;
}

static size_t
max_body_of(const struct request_head *head, const struct head_limits *limits)
{
	return limits->max_body_of != NULL ? limits->max_body_of(limits->arg, head->target)
					   : limits->max_body;
}

static int
check_body(struct request_head *head, const struct head_limits *limits, const char **ret_detail)
{
	bool post = strcmp(head->method, "POST") == 0;
	int status = parse_length(head, ret_detail);

	if (status != 0)
		return status;
	if (head_field(head, "Transfer-Encoding") != NULL) {
		/* Together they smuggle requests past a front end (RFC 9112 6.1). */
		if (!post || head->content_length >= 0)
			return head_refuse(
			    ret_detail, 400, "Transfer-Encoding is not allowed here");
		return head_refuse(
		    ret_detail, 411, "send Content-Length instead of Transfer-Encoding");
	}
	if (post && limits->need_length && head->content_length < 0)
		return head_refuse(ret_detail, 411, "a POST needs a Content-Length header");
	if (head->content_length > 0 && limits->max_body == 0)
		return head_refuse(ret_detail, 413, "a request with a body is not taken here");
	if (head->content_length > 0 && (size_t)head->content_length > max_body_of(head, limits))
		return head_refuse(ret_detail, 413, "the body is too large");
	return 0;
}

/* Those evhttp reads a body of. After any other the body would be parsed as the next request. */
static bool
body_is_read(const char *method)
{
	static const char *const methods[] = {"POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(method, methods[i]) == 0)
			return true;
	}
	return false;
}

int
head_check(struct request_head *head, const struct head_limits *limits, const char **ret_detail)
{
	int status = check_host(head, ret_detail);

	if (status == 0)
		status = check_body(head, limits, ret_detail);
	if (status == 0)
		status = check_expect(head, ret_detail);
	head->body_ignored = head->content_length > 0 && !body_is_read(head->method);
	return status;
}
