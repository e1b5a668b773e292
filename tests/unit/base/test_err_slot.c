/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err_slot.h"

static void
test_kept(void **state)
{
	struct err *slot = NULL, e;

	err_set(&e, ERR_UPSTREAM, "first");
	e.retry_after = 7;
	err_slot_set(&slot, &e);
	err_set(&e, ERR_TIMEOUT, "second");
	assert_int_equal(slot->kind, ERR_UPSTREAM);
	assert_int_equal(slot->retry_after, 7);
	assert_string_equal(slot->detail, "first");
	err_slot_set(&slot, &e);
	assert_string_equal(slot->detail, "second");
	err_slot_set(&slot, slot);
	assert_string_equal(slot->detail, "second");
	err_slot_clear(&slot);
	assert_null(slot);
	err_slot_clear(&slot);
}

static void
test_no_error_takes_no_room(void **state)
{
	struct err *slot = NULL, e;

	err_clear(&e);
	err_slot_set(&slot, &e);
	assert_null(slot);
	err_set(&e, ERR_UPSTREAM, "first");
	err_slot_set(&slot, &e);
	err_slot_set(&slot, NULL);
	assert_null(slot);
	err_slot_set(&slot, &e);
	e.kind = ERR_NONE;
	err_slot_set(&slot, &e);
	assert_null(slot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kept),
	    cmocka_unit_test(test_no_error_takes_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
