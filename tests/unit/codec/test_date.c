/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/date.h"

enum { RFC_EXAMPLE = 784111777 }; /* 1994-11-06T08:49:37Z */

static bool
http(const char *text, int64_t *ret)
{
	return date_parse_http(text, strlen(text), ret);
}

static bool
rfc3339(const char *text, int64_t *ret)
{
	return date_parse_rfc3339(text, strlen(text), ret);
}

static void
test_http_three_forms(void **state)
{
	int64_t t = 0;

	assert_true(http("Sun, 06 Nov 1994 08:49:37 GMT", &t));
	assert_int_equal(t, RFC_EXAMPLE);
	t = 0;
	assert_true(http("Sunday, 06-Nov-94 08:49:37 GMT", &t));
	assert_int_equal(t, RFC_EXAMPLE);
	t = 0;
	assert_true(http("Sun Nov  6 08:49:37 1994", &t));
	assert_int_equal(t, RFC_EXAMPLE);
	assert_true(http(" Thu Nov 16 08:49:37 2034\t", &t));
	assert_true(http("Thu, 29 Feb 2024 00:00:00 GMT", &t));
	assert_int_equal(t, 1709164800);
	assert_true(http("Tuesday, 01-Jan-30 00:00:00 GMT", &t));
	assert_int_equal(t, 1893456000);
}

static void
test_http_refused(void **state)
{
	static const char *const rows[] = {"", "Sun", "Sun,", "Sun, 06 Nov 1994 08:49:37",
	    "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT x",
	    "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
	    "Sun, 29 Feb 2023 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
	    "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
	    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
	    "Sun, 06-Nov-1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "06 Nov 1994 08:49:37 GMT"};
	int64_t t = 7;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(http(rows[i], &t));
	assert_int_equal(t, 7);
}

static void
test_rfc3339(void **state)
{
	static const char *const same[] = {"1994-11-06T08:49:37Z", "1994-11-06t08:49:37z",
	    "1994-11-06 08:49:37Z", "1994-11-06T08:49:37.123456789Z", "1994-11-06T09:49:37+01:00",
	    "1994-11-06T03:19:37-05:30"};
	static const char *const bad[] = {"", "1994-11-06", "1994-11-06T08:49:37",
	    "1994-11-06T08:49:37.Z", "1994-13-06T08:49:37Z", "1994-02-29T08:49:37Z",
	    "1994-11-06T08:49:37+1:00", "1994-11-06T08:49:37+24:00", "1994-11-06T08:49:37Zx",
	    "94-11-06T08:49:37Z", "1994-00-06T08:49:37Z"};
	int64_t t;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		t = 0;
		assert_true(rfc3339(same[i], &t));
		assert_int_equal(t, RFC_EXAMPLE);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(rfc3339(bad[i], &t));
	assert_true(rfc3339("1990-12-31T23:59:60Z", &t));
	assert_int_equal(t, 662688000);
}

static void
test_format(void **state)
{
	char out[DATE_TEXT];
	int64_t t = 0;

	assert_string_equal(date_format_rfc3339(RFC_EXAMPLE, out), "1994-11-06T08:49:37Z");
	assert_string_equal(date_format_rfc3339(0, out), "1970-01-01T00:00:00Z");
	assert_true(rfc3339(date_format_rfc3339(1795224845, out), &t));
	assert_int_equal(t, 1795224845);
	date_format_rfc3339(INT64_MAX, out);
	date_format_rfc3339(INT64_MIN, out);
	date_format_rfc3339(67767976233532799, out);
}

static int64_t
retry(const char *text)
{
	int64_t seconds;

	return date_parse_retry_after(text, strlen(text), RFC_EXAMPLE, &seconds) ? seconds : -1;
}

static void
test_retry_after(void **state)
{
	assert_int_equal(retry("0"), 0);
	assert_int_equal(retry(" 120 "), 120);
	assert_int_equal(retry("99999999999999999999999999"), 365 * 24 * 3600);
	assert_int_equal(retry("Sun, 06 Nov 1994 08:50:37 GMT"), 60);
	assert_int_equal(retry("Sun, 06 Nov 1994 08:00:00 GMT"), 0);
	assert_int_equal(retry("Fri, 31 Dec 9999 23:59:59 GMT"), 365 * 24 * 3600);
	assert_int_equal(retry(""), -1);
	assert_int_equal(retry("-1"), -1);
	assert_int_equal(retry("1.5"), -1);
	assert_int_equal(retry("soon"), -1);
	assert_int_equal(retry("1994-11-06T08:49:37Z"), -1);
}

static void
test_time_zone_does_not_matter(void **state)
{
	int64_t t = 0;

	setenv("TZ", "Asia/Tokyo", 1);
	assert_true(http("Sun, 06 Nov 1994 08:49:37 GMT", &t));
	assert_int_equal(t, RFC_EXAMPLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_http_three_forms),
	    cmocka_unit_test(test_http_refused),
	    cmocka_unit_test(test_rfc3339),
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_retry_after),
	    cmocka_unit_test(test_time_zone_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
