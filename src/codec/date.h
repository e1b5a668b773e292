/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dates of HTTP (RFC 9110 5.6.7, all three forms) and of ACME (RFC 3339). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DATE_TEXT = 32 };

/* Seconds since 1970. Independent of locale and time zone. */
bool date_parse_http(const char *text, size_t len, int64_t *ret);
bool date_parse_rfc3339(const char *text, size_t len, int64_t *ret);
/* "2026-11-21T01:34:05Z"; returns out. */
const char *date_format_rfc3339(int64_t seconds, char out[DATE_TEXT]);
/* Retry-After (RFC 9110 10.2.3): seconds or a date; in seconds from now (wall clock), at least 0,
 * at most one year. False if it is neither. */
bool date_parse_retry_after(const char *text, size_t len, int64_t now, int64_t *ret_seconds);
