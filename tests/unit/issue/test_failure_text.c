/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "issue/failure_text.h"

#define NAMES "*.b.example, www.example.org"

static const char *
told(enum err_kind kind, int64_t retry_after, const char *detail, const char *names)
{
	static struct err e;

	err_set(&e, kind, "%s", detail);
	e.problem = 7;
	e.retry_after = retry_after;
	failure_text(&e, FAILURE_OF_CSR, names);
	assert_int_equal(e.kind, kind);
	assert_int_equal(e.problem, 7);
	assert_int_equal(e.retry_after, retry_after);
	return e.detail;
}

static void
test_names_and_what_to_do(void **state)
{
	(void)state;
	assert_string_equal(told(ERR_UNREACHABLE, 4,
				"directory: cannot connect to ca.test: Connection refused", NAMES),
	    "No certificate for " NAMES
	    ": directory: cannot connect to ca.test: Connection refused; post the same CSR again "
	    "in 4 s");
	assert_string_equal(told(ERR_BUSY, 0, "this server is shutting down", NAMES),
	    "No certificate for " NAMES
	    ": this server is shutting down; post the same CSR again later");
	assert_string_equal(told(ERR_TIMEOUT, 10, "not issued within 2 s", NAMES),
	    "No certificate for " NAMES ": not issued within 2 s; post the same CSR again in 10 s");
	assert_string_equal(told(ERR_RATE_LIMITED, 90, "too many", NAMES),
	    "Refused for " NAMES ": too many; post the same CSR again in 90 s");
	assert_string_equal(told(ERR_ACCOUNT, 600, "account: deactivated", NAMES),
	    "No certificate for " NAMES
	    ": account: deactivated; whoever runs this server has to mend it");
	assert_string_equal(told(ERR_FORBIDDEN, 0, "not on our list", NAMES),
	    "Refused for " NAMES ": not on our list");
	assert_string_equal(told(ERR_VALIDATION, 0, "no such host", NAMES),
	    "Validation failed for " NAMES ": no such host");
	assert_string_equal(told(ERR_NOT_FOUND, 0, "no such path", NAMES), "no such path");
}

static void
test_names_not_twice(void **state)
{
	static const char *const has[] = {
	    "www.example.org: no",
	    "ns1: refused for WWW.EXAMPLE.ORG.",
	    "for *.b.example no",
	    "b.example, the CA says",
	    "no (\"b.example\")",
	    "http://www.example.org/x",
	};
	static const char *const has_not[] = {
	    "a.www.example.org: no",
	    "www.example.org.test: no",
	    "www.example.orgy",
	    "xb.example",
	    "cannot connect to www.example.org:14000",
	    "a-b.example",
	    "",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(has) / sizeof(has[0]); i++)
		assert_string_equal(told(ERR_FORBIDDEN, 0, has[i], NAMES), has[i]);
	for (size_t i = 0; i < sizeof(has_not) / sizeof(has_not[0]); i++)
		assert_memory_equal(told(ERR_FORBIDDEN, 0, has_not[i], NAMES), "Refused for ", 12);
	assert_string_equal(told(ERR_FORBIDDEN, 0, "not you", ""), "not you");
	assert_memory_equal(told(ERR_UPSTREAM, 0, "no", "::1"), "No certificate for ::1: no; ", 28);
	assert_string_equal(told(ERR_FORBIDDEN, 0, "not 192.0.2.1", "192.0.2.1"), "not 192.0.2.1");
}

/* What to do is worth more than the end of a long reason. */
static void
test_long_reason(void **state)
{
	char reason[ERR_DETAIL_MAX];
	const char *text;

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(reason); i += 2)
		memcpy(reason + i, "\xc3\xa4", 2);
	reason[sizeof(reason) - 2] = '\0';
	text = told(ERR_UPSTREAM, 30, reason, NAMES);
	assert_in_range(strlen(text), ERR_DETAIL_MAX - 3, ERR_DETAIL_MAX - 1);
	assert_memory_equal(text, "No certificate for " NAMES ": \xc3\xa4", 51);
	assert_non_null(strstr(text, "\xc3\xa4; post the same CSR again in 30 s"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names_and_what_to_do),
	    cmocka_unit_test(test_names_not_twice),
	    cmocka_unit_test(test_long_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
