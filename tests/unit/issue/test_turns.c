/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ev/loop.h"
#include "ev/op.h"
#include "issue/turns.h"

struct waiter {
	struct op *op;
	struct turn *turn;
};

static struct loop *loop;
static struct turns *turns;

static int
setup(void **state)
{
	loop = loop_new(NULL);
	turns = turns_new(loop);
	return 0;
}

static int
teardown(void **state)
{
	assert_int_equal(turns_keys(turns), 0);
	turns_free(turns);
	turns_free(NULL);
	loop_free(loop);
	return 0;
}

static void
came(void *arg, struct turn *turn)
{
	struct waiter *w = arg;

	assert_null(w->op);
	w->turn = turn;
}

static void
waits(struct waiter *w, const char *key)
{
	turns_wait(turns, key, came, w, &w->op);
	assert_null(w->turn);
	assert_non_null(w->op);
}

static void
settle(void)
{
	for (int i = 0; i < 5; i++)
		loop_turn(loop, false);
}

static void
test_one_after_the_other(void **state)
{
	struct waiter w[3] = {0};
	struct waiter other = {0};

	for (int i = 0; i < 3; i++)
		waits(&w[i], "k");
	waits(&other, "another");
	settle();
	assert_non_null(w[0].turn);
	assert_non_null(other.turn);
	for (int i = 0; i < 3; i++) {
		assert_non_null(w[i].turn);
		for (int k = i + 1; k < 3; k++)
			assert_null(w[k].turn);
		turn_release(w[i].turn);
		settle();
	}
	turn_release(other.turn);
	turn_release(NULL);
}

static void
test_who_leaves_is_passed_over(void **state)
{
	struct waiter w[4] = {0};

	for (int i = 0; i < 4; i++)
		waits(&w[i], "k");
	op_cancel(&w[0].op); /* before it was told */
	settle();
	assert_null(w[0].turn);
	assert_non_null(w[1].turn);
	op_cancel(&w[2].op);
	turn_release(w[1].turn);
	settle();
	assert_null(w[2].turn);
	assert_non_null(w[3].turn);
	turn_release(w[3].turn);
}

static void
test_told_and_cancelled_in_one_turn(void **state)
{
	struct waiter w[2] = {0};

	waits(&w[0], "k");
	settle();
	waits(&w[1], "k");
	turn_release(w[0].turn);
	op_cancel(&w[1].op);
	settle();
	assert_null(w[1].turn);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_one_after_the_other, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_who_leaves_is_passed_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_told_and_cancelled_in_one_turn, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
