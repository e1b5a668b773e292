/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders that succeed, in all the ways CAs have of getting there. */
#include <string.h>

#include "world.h"

#define WORLD(w)                                                                                   \
	struct world w;                                                                            \
	world_open(&w)

static void
one_name(void **state)
{
	WORLD(w);
	struct result r;

	world_ready(&w);
	order_start(&w, &r, "www.a.test");
	assert_true(order_wait(&w, &r, 10 * 1000));
	assert_issued(&r);
	assert_string_equal(r.states,
	    " account new-order authorize poll finalize wait poll download");
	assert_int_equal(w.solver.presented, 1);
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 1);
	order_done(&r);
	world_close(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
