/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt/revoke.h"

static void
test_reasons(void **state)
{
	static const struct {
		const char *target;
		enum revoke_reason reason;
	} rows[] = {
	    {"/revoke", REVOKE_UNSPECIFIED},
	    {"/revoke?", REVOKE_UNSPECIFIED},
	    {"/revoke?reason=0", REVOKE_UNSPECIFIED},
	    {"/revoke?reason=1", REVOKE_KEY_COMPROMISE},
	    {"/revoke?reason=4", REVOKE_SUPERSEDED},
	    {"/revoke?reason=5", REVOKE_CESSATION},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum revoke_reason reason = REVOKE_CESSATION;

		assert_true(revoke_read_reason(rows[i].target, &reason, NULL));
		assert_int_equal(reason, rows[i].reason);
	}
}

static void
test_no_other_reason(void **state)
{
	static const char *const rows[] = {"reason=2", "reason=3", "reason=6", "reason=01",
	    "reason=1 ", "reason=", "reason", "reason=10", "reason=-1", "Reason=1", "raeson=1",
	    "reason=1&reason=0", "reason=1&", "&reason=1", "reason=%31", "reason=1?", "?"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char target[64] = "/revoke?";
		enum revoke_reason reason;
		struct err e;

		strcat(target, rows[i]);
		assert_false(revoke_read_reason(target, &reason, &e));
		assert_int_equal(e.kind, ERR_BAD_REQUEST);
		assert_non_null(strstr(e.detail, "compromised"));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reasons),
	    cmocka_unit_test(test_no_other_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
