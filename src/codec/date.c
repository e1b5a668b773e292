/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "codec/text.h"

enum { RETRY_AFTER_MAX = 365 * 24 * 3600 };

/* What is left to read. Every step fails at the end instead of running over it. */
struct cursor {
	const char *p;
	size_t len;
};

static bool
skip(struct cursor *c, char expected)
{
	if (c->len == 0 || *c->p != expected)
		return false;
	c->p++;
	c->len--;
	return true;
}

/* Exactly n digits. */
static bool
number(struct cursor *c, size_t n, int *ret)
{
	uint64_t value;

	if (c->len < n || !text_parse_uint(c->p, n, 9999, &value))
		return false;
	c->p += n;
	c->len -= n;
	*ret = (int)value;
	return true;
}

static bool
month(struct cursor *c, int *ret)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; c->len >= 3 && i < 12; i++)
		if (memcmp(c->p, names + 3 * i, 3) == 0) {
			c->p += 3;
			c->len -= 3;
			*ret = i;
			return true;
		}
	return false;
}

/* Skips the letters of a day's name: which one it is says nothing new. */
static bool
day_name(struct cursor *c)
{
	size_t n = 0;

	while (n < c->len && text_is_alnum(c->p[n]) && !text_is_digit(c->p[n]))
		n++;
	c->p += n;
	c->len -= n;
	return n >= 3 && n <= 9;
}

static bool
time_of_day(struct cursor *c, struct tm *tm)
{
	return number(c, 2, &tm->tm_hour) && skip(c, ':') && number(c, 2, &tm->tm_min) &&
	    skip(c, ':') && number(c, 2, &tm->tm_sec);
}

/* tm with years counted from 0. False for what no calendar has; 60 is a leap second. */
static bool
to_seconds(struct tm *tm, int64_t *ret)
{
	struct tm wanted;

	tm->tm_year -= 1900;
	if (tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60)
		return false;
	wanted = *tm;
	*ret = timegm(tm);
	/* The 31st of February comes back as a day in March. */
	return wanted.tm_sec == 60 ||
	    (wanted.tm_mday == tm->tm_mday && wanted.tm_mon == tm->tm_mon);
}

/* Sun, 06 Nov 1994 08:49:37 GMT, or the obsolete Sunday, 06-Nov-94 08:49:37 GMT */
static bool
parse_with_comma(struct cursor c, struct tm *tm)
{
	bool obsolete;

	if (!day_name(&c) || !skip(&c, ',') || !skip(&c, ' ') || !number(&c, 2, &tm->tm_mday))
		return false;
	obsolete = skip(&c, '-');
	if ((!obsolete && !skip(&c, ' ')) || !month(&c, &tm->tm_mon) ||
	    !skip(&c, obsolete ? '-' : ' '))
		return false;
	if (!number(&c, obsolete ? 2 : 4, &tm->tm_year))
		return false;
	/* RFC 9110 wants the century within fifty years of now; there is no clock here. */
	if (obsolete)
		tm->tm_year += tm->tm_year < 70 ? 2000 : 1900;
	return skip(&c, ' ') && time_of_day(&c, tm) && c.len == 4 && memcmp(c.p, " GMT", 4) == 0;
}

/* Sun Nov  6 08:49:37 1994 */
static bool
parse_asctime(struct cursor c, struct tm *tm)
{
	if (!day_name(&c) || !skip(&c, ' ') || !month(&c, &tm->tm_mon) || !skip(&c, ' '))
		return false;
	if (!number(&c, skip(&c, ' ') ? 1 : 2, &tm->tm_mday) || !skip(&c, ' '))
		return false;
	return time_of_day(&c, tm) && skip(&c, ' ') && number(&c, 4, &tm->tm_year) && c.len == 0;
}

bool
date_parse_http(const char *text, size_t len, int64_t *ret)
{
	struct tm tm = {0};
	int64_t seconds;

	text_trim(&text, &len);
	if (!parse_with_comma((struct cursor){text, len}, &tm)) {
		tm = (struct tm){0};
		if (!parse_asctime((struct cursor){text, len}, &tm))
			return false;
	}
	if (!to_seconds(&tm, &seconds))
		return false;
	*ret = seconds;
	return true;
}

/* Z or +hh:mm, at the end; *ret is what to subtract. */
static bool
offset(struct cursor *c, int64_t *ret)
{
	int sign, hours, minutes;

	*ret = 0;
	if (skip(c, 'Z') || skip(c, 'z'))
		return c->len == 0;
	sign = skip(c, '+') ? 1 : -1;
	if (sign < 0 && !skip(c, '-'))
		return false;
	if (!number(c, 2, &hours) || !skip(c, ':') || !number(c, 2, &minutes) || c->len != 0)
		return false;
	*ret = sign * (hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

static bool
fraction(struct cursor *c)
{
	size_t n = 0;

	if (!skip(c, '.'))
		return true;
	while (n < c->len && text_is_digit(c->p[n]))
		n++;
	c->p += n;
	c->len -= n;
	return n > 0;
}

bool
date_parse_rfc3339(const char *text, size_t len, int64_t *ret)
{
	struct cursor c = {text, len};
	struct tm tm = {0};
	int64_t seconds, ahead;

	if (!number(&c, 4, &tm.tm_year) || !skip(&c, '-') || !number(&c, 2, &tm.tm_mon) ||
	    !skip(&c, '-') || !number(&c, 2, &tm.tm_mday))
		return false;
	if (!skip(&c, 'T') && !skip(&c, 't') && !skip(&c, ' '))
		return false;
	if (!time_of_day(&c, &tm) || !fraction(&c) || !offset(&c, &ahead))
		return false;
	tm.tm_mon--;
	if (!to_seconds(&tm, &seconds))
		return false;
	*ret = seconds - ahead;
	return true;
}

const char *
date_format_rfc3339(int64_t seconds, char out[DATE_TEXT])
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(out, DATE_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, DATE_TEXT, "%lld", (long long)seconds);
	return out;
}

bool
date_parse_retry_after(const char *text, size_t len, int64_t now, int64_t *ret_seconds)
{
	uint64_t number_of;
	int64_t date, seconds;

	text_trim(&text, &len);
	if (text_all_digits(text, len)) {
		/* More digits than a number holds are a year as well. */
		if (!text_parse_uint(text, len, RETRY_AFTER_MAX, &number_of))
			number_of = RETRY_AFTER_MAX;
		*ret_seconds = (int64_t)number_of;
		return true;
	}
	if (!date_parse_http(text, len, &date))
		return false;
	if (__builtin_sub_overflow(date, now, &seconds))
		return false;
	*ret_seconds = seconds < 0 ? 0 : seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : seconds;
	return true;
}
