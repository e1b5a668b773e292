/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt/reply.h"

static void
test_statuses_of_the_contract(void **state)
{
	static const struct {
		enum err_kind kind;
		int status;
	} rows[] = {
	    {ERR_BAD_REQUEST, 400},
	    {ERR_FORBIDDEN, 403},
	    {ERR_NOT_FOUND, 404},
	    {ERR_METHOD, 405},
	    {ERR_NO_LENGTH, 411},
	    {ERR_TOO_LARGE, 413},
	    {ERR_BAD_CSR, 415},
	    {ERR_VALIDATION, 421},
	    {ERR_RATE_LIMITED, 429},
	    {ERR_INTERNAL, 500},
	    {ERR_CONFIG, 500},
	    {ERR_ACCOUNT, 500},
	    {ERR_UNREACHABLE, 503},
	    {ERR_UPSTREAM, 503},
	    {ERR_BUSY, 503},
	    {ERR_TIMEOUT, 504},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(reply_status(rows[i].kind), rows[i].status);
}

static void
test_reason_is_short_and_printable(void **state)
{
	char out[REPLY_REASON_MAX + 1];
	char long_text[400];

	(void)state;
	assert_string_equal(reply_reason("Validation failed for www.example.org", out),
	    "Validation failed for www.example.org");
	assert_string_equal(
	    reply_reason("a\r\nSet-Cookie: x\x7f\xc3\xa4", out), "a??Set-Cookie: x???");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(strlen(reply_reason(long_text, out)), REPLY_REASON_MAX);
	assert_string_equal(
	    reply_reason("Validation failed for www.example.org: the CA says that it had to go "
			 "to http://www.example.org/.well-known",
		out),
	    "Validation failed for www.example.org");
	assert_string_equal(
	    reply_reason("a sentence without any colon that goes on and on and on until it is over "
			 "after all",
		out),
	    "a sentence without any colon that goes on and on and on until it is over after");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_statuses_of_the_contract),
	    cmocka_unit_test(test_reason_is_short_and_printable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
