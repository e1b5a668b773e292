/* SPDX-License-Identifier: GPL-3.0-or-later */
#define ERR_C
#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const char *const kind_names[] = {
    [ERR_NONE] = "none",
    [ERR_BAD_REQUEST] = "bad_request",
    [ERR_FORBIDDEN] = "forbidden",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_METHOD] = "method",
    [ERR_NO_LENGTH] = "no_length",
    [ERR_TOO_LARGE] = "too_large",
    [ERR_BAD_CSR] = "bad_csr",
    [ERR_VALIDATION] = "validation",
    [ERR_RATE_LIMITED] = "rate_limited",
    [ERR_INTERNAL] = "internal",
    [ERR_CONFIG] = "config",
    [ERR_ACCOUNT] = "account",
    [ERR_UNREACHABLE] = "unreachable",
    [ERR_UPSTREAM] = "upstream",
    [ERR_BUSY] = "busy",
    [ERR_TIMEOUT] = "timeout",
    [ERR_CANCELLED] = "cancelled",
};
static_assert(
    sizeof(kind_names) / sizeof(kind_names[0]) == ERR_KIND_COUNT, "a name for every kind");

/* The detail is one line, whatever was quoted into it. text must not overlap it. */
static void
set_detail(struct err *e, const char *text)
{
	size_t n = utf8_cut(text, sizeof(e->detail) - 1);

	for (size_t i = 0; i < n; i++)
		e->detail[i] = text[i] == '\n' || text[i] == '\r' ? ' ' : text[i];
	e->detail[n] = '\0';
}

/* Formatting goes by way of a second buffer, as the arguments may include e->detail. */
static void __attribute__((format(printf, 3, 0)))
set(struct err *e, enum err_kind kind, const char *fmt, va_list ap)
{
	char text[ERR_DETAIL_MAX + 1];

	vsnprintf(text, sizeof(text), fmt, ap);
	e->kind = kind;
	e->problem = 0;
	e->retry_after = 0;
	e->of_names = false;
	e->told = false;
	set_detail(e, text);
}

static void
append(struct err *e, const char *more)
{
	char text[2 * ERR_DETAIL_MAX];

	snprintf(text, sizeof(text), "%s: %s", e->detail, more);
	set_detail(e, text);
}

bool
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return false;
	va_start(ap, fmt);
	set(e, kind, fmt, ap);
	va_end(ap);
	return false;
}

bool
err_prefix(struct err *e, const char *fmt, ...)
{
	char before[ERR_DETAIL_MAX], text[2 * ERR_DETAIL_MAX + 2];
	va_list ap;

	if (e == NULL)
		return false;
	va_start(ap, fmt);
	vsnprintf(before, sizeof(before), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "%s: %s", before, e->detail);
	set_detail(e, text);
	return false;
}

bool
err_errno(struct err *e, enum err_kind kind, int errno_value, const char *fmt, ...)
{
	char reason[128];
	va_list ap;

	if (e == NULL)
		return false;
	va_start(ap, fmt);
	set(e, kind, fmt, ap);
	va_end(ap);
	append(e, strerror_r(errno_value, reason, sizeof(reason)));
	return false;
}

void
err_clear(struct err *e)
{
	if (e == NULL)
		return;
	e->kind = ERR_NONE;
	e->problem = 0;
	e->retry_after = 0;
	e->of_names = false;
	e->told = false;
	e->detail[0] = '\0';
}

const char *
err_kind_name(enum err_kind kind)
{
	return kind < ERR_KIND_COUNT ? kind_names[kind] : "unknown";
}
