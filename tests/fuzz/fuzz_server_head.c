/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The head of a request by itself, as it comes in piece by piece: the first octet says how long the
 * pieces are. */
#include "fuzz.h"

#include <ctype.h>
#include <strings.h>

#include "http/server_head.h"

enum { MAX_HEADERS = 8 * 1024, MAX_BODY = 4096 };

static const struct head_limits limits[] = {
    {.max_headers = MAX_HEADERS, .max_body = MAX_BODY, .need_length = true},
    {.max_headers = MAX_HEADERS, .max_body = 0, .need_length = false},
};

static void
check_fields(const struct request_head *head)
{
	size_t hosts = 0, lengths = 0;

	must(head->field_count <= HEAD_FIELDS_MAX);
	for (size_t i = 0; i < head->field_count; i++) {
		const struct head_field *f = &head->fields[i];

		must(f->name[0] != '\0' && strpbrk(f->name, " \t\r\n:") == NULL);
		must(strpbrk(f->value, "\r\n") == NULL && !isblank((unsigned char)f->value[0]));
		hosts += strcasecmp(f->name, "Host") == 0;
		lengths += strcasecmp(f->name, "Content-Length") == 0;
		must(head_field(head, f->name) != NULL);
	}
	must(hosts <= 1 && (hosts == 1 || !head->http_1_1));
	must(lengths == (head->content_length >= 0));
	must(head_field(head, "Transfer-Encoding") == NULL);
}

static void
check_accepted(const struct request_head *head, const struct head_limits *l)
{
	must(strlen(head->method) >= 3 && strpbrk(head->method, " \t\r\n") == NULL);
	must(head->target[0] == '/' && head->target[1] != '/');
	for (const char *p = head->target; *p != '\0'; p++)
		must(*p > ' ' && *p <= '~');
	must(head->content_length >= -1 && head->content_length <= (int64_t)l->max_body);
	must(!l->need_length || strcmp(head->method, "POST") != 0 || head->content_length >= 0);
	check_fields(head);
}

static void
parse(const char *data, size_t len)
{
	struct request_head head;
	const char *detail;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		detail = NULL;
		int status = head_parse(&head, data, len, &limits[i], &detail);

		must(head.method != NULL && head.target != NULL);
		must((status == 0) == (detail == NULL));
		if (status == 0)
			check_accepted(&head, &limits[i]);
		else
			must(status >= 400 && status <= 505 && detail[0] != '\0');
		head_done(&head);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	size_t whole_len = 0, len = 0, seen = 0, at = 0;
	enum head_scan whole, part = HEAD_MORE;

	if (size < 2)
		return 0;
	size_t step = (size_t)data[0] + 1, end = size - 1;
	whole = head_scan(text, end, 0, &whole_len);
	while (part == HEAD_MORE && seen < end) {
		at = seen + step < end ? seen + step : end;
		part = head_scan(text, at, seen, &len);
		seen = at;
	}
	must(part == whole && len == whole_len);
	if (part != HEAD_COMPLETE)
		return 0;
	must(len <= end && memcmp(text + len - 4, "\r\n\r\n", 4) == 0);
	CLEANUP_FREE char *exact = xmemdup(text, len);
	parse(exact, len);
	return 0;
}
