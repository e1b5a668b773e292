/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/problem_err.h"
#include "base/alloc.h"

/* The statuses of acmems(8), row by row. */
static void
the_table(void **state)
{
	static const struct {
		enum problem_type type;
		enum acme_place place;
		enum err_kind kind;
	} rows[] = {
	    {PROBLEM_REJECTED_IDENTIFIER, PLACE_NEW_ORDER, ERR_FORBIDDEN},
	    {PROBLEM_REJECTED_IDENTIFIER, PLACE_VALIDATION, ERR_FORBIDDEN},
	    {PROBLEM_UNSUPPORTED_IDENTIFIER, PLACE_NEW_ORDER, ERR_FORBIDDEN},
	    {PROBLEM_BAD_CSR, PLACE_FINALIZE, ERR_BAD_CSR},
	    {PROBLEM_BAD_CSR, PLACE_ISSUANCE, ERR_BAD_CSR},
	    {PROBLEM_BAD_PUBLIC_KEY, PLACE_FINALIZE, ERR_BAD_CSR},
	    {PROBLEM_BAD_PUBLIC_KEY, PLACE_ACCOUNT, ERR_ACCOUNT},
	    {PROBLEM_MALFORMED, PLACE_NEW_ORDER, ERR_BAD_CSR},
	    {PROBLEM_MALFORMED, PLACE_ACCOUNT, ERR_ACCOUNT},
	    {PROBLEM_UNAUTHORIZED, PLACE_FINALIZE, ERR_BAD_CSR},
	    {PROBLEM_UNAUTHORIZED, PLACE_NEW_ORDER, ERR_ACCOUNT},
	    {PROBLEM_UNAUTHORIZED, PLACE_ACCOUNT, ERR_ACCOUNT},
	    /* Names and CSRs are matters of orders alone. */
	    {PROBLEM_REJECTED_IDENTIFIER, PLACE_ACCOUNT, ERR_UPSTREAM},
	    {PROBLEM_BAD_CSR, PLACE_DIRECTORY, ERR_UPSTREAM},
	    {PROBLEM_CAA, PLACE_NONCE, ERR_UPSTREAM},
	    {PROBLEM_UNAUTHORIZED, PLACE_VALIDATION, ERR_VALIDATION},
	    {PROBLEM_UNAUTHORIZED, PLACE_ISSUANCE, ERR_VALIDATION},
	    {PROBLEM_CAA, PLACE_NEW_ORDER, ERR_VALIDATION},
	    {PROBLEM_CAA, PLACE_ISSUANCE, ERR_VALIDATION},
	    {PROBLEM_DNS, PLACE_VALIDATION, ERR_VALIDATION},
	    {PROBLEM_OTHER, PLACE_VALIDATION, ERR_VALIDATION},
	    {PROBLEM_OTHER, PLACE_ISSUANCE, ERR_UPSTREAM},
	    {PROBLEM_OTHER, PLACE_NEW_ORDER, ERR_UPSTREAM},
	    {PROBLEM_RATE_LIMITED, PLACE_NEW_ORDER, ERR_RATE_LIMITED},
	    {PROBLEM_RATE_LIMITED, PLACE_FINALIZE, ERR_RATE_LIMITED},
	    {PROBLEM_USER_ACTION_REQUIRED, PLACE_NEW_ORDER, ERR_ACCOUNT},
	    {PROBLEM_EXTERNAL_ACCOUNT_REQUIRED, PLACE_ACCOUNT, ERR_ACCOUNT},
	    {PROBLEM_INVALID_PROFILE, PLACE_NEW_ORDER, ERR_CONFIG},
	    {PROBLEM_SERVER_INTERNAL, PLACE_FINALIZE, ERR_UPSTREAM},
	    {PROBLEM_UNAUTHORIZED, PLACE_REVOKE, ERR_FORBIDDEN},
	    {PROBLEM_MALFORMED, PLACE_REVOKE, ERR_BAD_CSR},
	    {PROBLEM_BAD_REVOCATION_REASON, PLACE_REVOKE, ERR_BAD_REQUEST},
	    {PROBLEM_ACCOUNT_DOES_NOT_EXIST, PLACE_REVOKE, ERR_ACCOUNT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(problem_err_kind(rows[i].type, rows[i].place), rows[i].kind);
}

/* No hole in it: every type has a kind everywhere. */
static void
complete(void **state)
{
	for (int type = 0; type < PROBLEM_TYPE_COUNT; type++)
		for (int place = 0; place < PLACE_COUNT; place++)
			assert_int_not_equal(
			    problem_err_kind((enum problem_type)type, (enum acme_place)place),
			    ERR_NONE);
	for (int place = 0; place < PLACE_COUNT; place++)
		assert_non_null(acme_place_name((enum acme_place)place));
}

static void
worse(void **state)
{
	assert_int_equal(err_kind_worse(ERR_VALIDATION, ERR_FORBIDDEN), ERR_FORBIDDEN);
	assert_int_equal(err_kind_worse(ERR_VALIDATION, ERR_RATE_LIMITED), ERR_VALIDATION);
	assert_int_equal(err_kind_worse(ERR_UPSTREAM, ERR_ACCOUNT), ERR_ACCOUNT);
	assert_int_equal(err_kind_worse(ERR_TIMEOUT, ERR_TIMEOUT), ERR_TIMEOUT);
}

static struct err
of(int status, const char *body, enum acme_place place)
{
	struct err e;

	problem_err_status(status, body, strlen(body), place, "ca.test", &e);
	return e;
}

static void
statuses(void **state)
{
	struct err e = of(502, "<html>", PLACE_ORDER);

	assert_int_equal(e.kind, ERR_UPSTREAM);
	assert_string_equal(e.detail, "ca.test answered with status 502 and no reason");
	assert_int_equal(of(429, "", PLACE_ORDER).kind, ERR_RATE_LIMITED);
	assert_int_equal(of(429, "{\"detail\":\"x\"}", PLACE_ORDER).kind, ERR_RATE_LIMITED);
	assert_int_equal(of(403, "{\"detail\":\"x\"}", PLACE_ORDER).kind, ERR_UPSTREAM);
	e = of(503, "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"busy\"}",
	    PLACE_NEW_ORDER);
	assert_int_equal(e.kind, ERR_RATE_LIMITED);
	assert_int_equal(e.problem, PROBLEM_RATE_LIMITED);
	assert_string_equal(e.detail, "ca.test: busy (rateLimited)");
	e = of(404, "{\"type\":\"urn:ietf:params:acme:error:malformed\",\"detail\":\"no\"}",
	    PLACE_CERTIFICATE);
	assert_int_equal(e.kind, ERR_UPSTREAM);
}

static void
instance(void **state)
{
	struct err e = of(403,
	    "{\"type\":\"urn:ietf:params:acme:error:userActionRequired\",\"detail\":\"new terms\","
	    "\"instance\":\"https://ca.test/agree\"}",
	    PLACE_NEW_ORDER);

	assert_string_equal(
	    e.detail, "ca.test: new terms (userActionRequired); see https://ca.test/agree");
}

/* A hundred names with long reasons: as many as there is room for, and never more. */
static void
many_subproblems(void **state)
{
	struct problem p = {.type = PROBLEM_MALFORMED, .sub_count = 100};
	struct err e;

	p.subs = xcalloc(p.sub_count, sizeof(*p.subs));
	for (size_t i = 0; i < p.sub_count; i++) {
		p.subs[i].type = i == 50 ? PROBLEM_REJECTED_IDENTIFIER : PROBLEM_CAA;
		snprintf(p.subs[i].identifier, sizeof(p.subs[i].identifier), "n%02zu.test", i);
		memset(p.subs[i].detail, 'x', 150);
	}
	problem_err(&p, PLACE_NEW_ORDER, "ca.test", &e);
	assert_int_equal(e.kind, ERR_FORBIDDEN);
	assert_non_null(strstr(e.detail, "n00.test: xxx"));
	assert_non_null(strstr(e.detail, "; n10.test; n11.test"));
	assert_true(strlen(e.detail) <= ERR_DETAIL_MAX - 90);
	problem_done(&p);
}

/* Types we do not know leave it to the summary. */
static void
unknown_subproblems(void **state)
{
	struct problem_sub sub = {.type = PROBLEM_OTHER, .detail = "odd"};
	struct problem p = {.type = PROBLEM_CAA, .subs = &sub, .sub_count = 1};
	struct err e;

	problem_err(&p, PLACE_NEW_ORDER, NULL, &e);
	assert_int_equal(e.kind, ERR_VALIDATION);
	assert_string_equal(e.detail, "?: odd");
}

/* newOrder has no CSR to be refused. */
static void
names_or_csr(void **state)
{
	static const char body[] = "{\"type\":\"urn:ietf:params:acme:error:malformed\"}";

	assert_true(of(400, body, PLACE_NEW_ORDER).of_names);
	assert_false(of(400, body, PLACE_FINALIZE).of_names);
	assert_false(of(400, body, PLACE_VALIDATION).of_names);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_table),
	    cmocka_unit_test(complete),
	    cmocka_unit_test(worse),
	    cmocka_unit_test(names_or_csr),
	    cmocka_unit_test(statuses),
	    cmocka_unit_test(instance),
	    cmocka_unit_test(many_subproblems),
	    cmocka_unit_test(unknown_subproblems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
