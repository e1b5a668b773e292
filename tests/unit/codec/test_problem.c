/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "codec/problem.h"

static bool
parse(const char *text, struct problem *ret)
{
	return problem_parse(text, strlen(text), ret);
}

static void
test_full(void **state)
{
	struct problem p;

	assert_true(
	    parse("{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"too many\","
		  "\"status\":429,\"instance\":\"https://ca/x\"}",
		&p));
	assert_int_equal(p.type, PROBLEM_RATE_LIMITED);
	assert_int_equal(p.status, 429);
	assert_string_equal(p.detail, "too many");
	assert_string_equal(p.instance, "https://ca/x");
	problem_done(&p);
}

static void
test_members_may_be_missing(void **state)
{
	struct problem p;

	assert_true(parse("{}", &p));
	assert_int_equal(p.type, PROBLEM_OTHER);
	assert_int_equal(p.status, 0);
	assert_true(p.detail[0] != '\0');
	assert_string_equal(p.instance, "");
	problem_done(&p);
	assert_true(parse(
	    "{\"type\":\"urn:ietf:params:acme:error:dns\",\"title\":\"Title\",\"status\":\"4\","
	    "\"detail\":null,\"subproblems\":null}",
	    &p));
	assert_int_equal(p.type, PROBLEM_DNS);
	assert_int_equal(p.status, 0);
	assert_string_equal(p.detail, "Title");
	problem_done(&p);
	assert_true(parse("{\"type\":\"about:blank\",\"status\":99999999999}", &p));
	assert_int_equal(p.type, PROBLEM_OTHER);
	assert_int_equal(p.status, 0);
	problem_done(&p);
}

static void
test_not_a_problem(void **state)
{
	struct problem p;

	assert_false(parse("", &p));
	assert_false(parse("<html>502</html>", &p));
	assert_false(parse("[]", &p));
	assert_false(problem_from_json(NULL, &p));
}

static void
test_subproblems(void **state)
{
	struct problem p;

	assert_true(parse(
	    "{\"type\":\"urn:ietf:params:acme:error:malformed\",\"detail\":\"d\",\"subproblems\":["
	    "{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"no\",\"identifier\":"
	    "{\"type\":\"dns\",\"value\":\"a.example\"}},5,{\"type\":\"x\"}]}",
	    &p));
	assert_int_equal(p.sub_count, 2);
	assert_int_equal(p.subs[0].type, PROBLEM_CAA);
	assert_string_equal(p.subs[0].identifier, "a.example");
	assert_string_equal(p.subs[0].detail, "no");
	assert_int_equal(p.subs[1].type, PROBLEM_OTHER);
	assert_string_equal(p.subs[1].identifier, "");
	problem_done(&p);
	problem_done(&p);
}

static void
test_bounds(void **state)
{
	CLEANUP_BUF struct buf b;
	struct problem p;

	buf_init(&b, 100000);
	buf_adds(&b, "{\"detail\":\"");
	for (int i = 0; i < 1000; i++)
		buf_adds(&b, "\xc3\xa4");
	buf_adds(&b, "\",\"instance\":\"");
	for (int i = 0; i < 600; i++)
		buf_adds(&b, "x");
	buf_adds(&b, "\",\"subproblems\":[{}");
	for (int i = 0; i < 300; i++)
		buf_adds(&b, ",{}");
	buf_adds(&b, "]}");
	assert_true(problem_parse(b.data, b.len, &p));
	assert_int_equal(strlen(p.detail), PROBLEM_DETAIL_MAX - 2);
	assert_string_equal(p.instance, "");
	assert_int_equal(p.sub_count, PROBLEM_SUB_MAX);
	problem_done(&p);
}

static void
test_every_type_is_known_by_its_name(void **state)
{
	char text[128];
	struct problem p;

	for (int i = PROBLEM_OTHER + 1; i < PROBLEM_TYPE_COUNT; i++) {
		strcpy(text, "{\"type\":\"urn:ietf:params:acme:error:");
		strcat(strcat(text, problem_type_name((enum problem_type)i)), "\"}");
		assert_true(parse(text, &p));
		assert_int_equal(p.type, i);
		assert_true(strlen(p.detail) > 5);
		problem_done(&p);
	}
	assert_string_equal(problem_type_name(PROBLEM_NONE), "");
	assert_string_equal(problem_type_name(PROBLEM_OTHER), "");
	assert_string_equal(
	    problem_type_name(PROBLEM_UNSUPPORTED_IDENTIFIER), "unsupportedIdentifier");
}

static void
test_our_own(void **state)
{
	CLEANUP_FREE char *text = problem_text(421, "Validation failed", "a \"b\"");

	assert_string_equal(text,
	    "{\"type\":\"about:blank\",\"title\":\"Validation failed\",\"status\":421,"
	    "\"detail\":\"a \\\"b\\\"\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_members_may_be_missing),
	    cmocka_unit_test(test_not_a_problem),
	    cmocka_unit_test(test_subproblems),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_every_type_is_known_by_its_name),
	    cmocka_unit_test(test_our_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
