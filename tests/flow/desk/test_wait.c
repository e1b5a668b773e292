/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many who wait, and those who do not wait any more. */
#include "world.h"

#include <stdio.h>
#include <string.h>

enum { MANY = 8 };

static void
test_one_order_for_identical_requests(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c[MANY] = {0};
	uint64_t before = desk_stats(w->desk)->jobs.ordered;

	for (int i = 0; i < MANY; i++)
		post_from(w, &c[i], &b, "192.0.2.1");
	settle(w);
	assert_int_equal(fake_orders_open(), 1);
	assert_int_equal(desk_jobs(w->desk), 1);
	fake_order_issue(fake_order_at(0));
	settle(w);
	for (int i = 0; i < MANY; i++) {
		expect_pem(&c[i]);
		assert_string_equal(c[i].pem, c[0].pem);
		assert_false(c[i].cached);
	}
	assert_int_equal(fake_acme.started, 1);
	assert_int_equal(desk_stats(w->desk)->jobs.ordered - before, 1);
	assert_int_equal(desk_jobs(w->desk), 0);
	assert_int_equal(logged(w, "issued: serial"), 1);
	assert_int_equal(logged(w, "joined"), MANY - 1);
	assert_int_equal(logged(w, "order=o1"), logged(w, "o1"));
	for (int i = 0; i < MANY; i++)
		client_done(&c[i]);
	body_done(&b);
}

static void
test_each_is_authorised_for_himself(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client in = {0}, out = {0};

	post(w, &in, &b);
	post_from(w, &out, &b, "203.0.113.1");
	settle(w);
	expect_error(&out, ERR_FORBIDDEN);
	assert_int_equal(in.answers, 0);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&in);
	/* Not even for what is in the store. */
	post_from(w, &out, &b, "203.0.113.1");
	settle(w);
	expect_error(&out, ERR_FORBIDDEN);
	client_done(&in);
	client_done(&out);
	body_done(&b);
}

static void
test_other_profile_is_another_order(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client plain = {0}, shorty = {0};

	post_from(w, &plain, &b, "192.0.2.1");
	post_from(w, &shorty, &b, "198.51.100.1");
	settle(w);
	assert_int_equal(fake_orders_open(), 2);
	assert_null(fake_order_conf(fake_order_at(0))->profile);
	assert_string_equal(fake_order_conf(fake_order_at(1))->profile, "short");
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&plain);
	assert_int_equal(shorty.answers, 0);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&shorty);
	client_done(&plain);
	client_done(&shorty);
	body_done(&b);
}

/* ---- the client hangs up ---- */

static void
test_hang_up_at_once(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};

	post_from(w, &c, &b, "192.0.2.1");
	op_cancel(&c.op);
	settle(w);
	assert_int_equal(fake_acme.started, 0);
	assert_int_equal(c.answers, 0);
	assert_int_equal(logged(w, "hung up"), 1);
	body_done(&b);
}

static void
test_hang_up_while_refused(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.nowhere");
	struct client c = {0};

	post_from(w, &c, &b, "192.0.2.1");
	op_cancel(&c.op);
	settle(w);
	assert_int_equal(c.answers, 0);
	body_done(&b);
}

static void
test_hang_up_during_look_up(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client c = {0};

	w->kept.get_ms = 100;
	post(w, &c, &b);
	assert_int_equal(w->kept.gets, 1);
	op_cancel(&c.op);
	pass(w, SECOND);
	assert_int_equal(fake_acme.started, 0);
	body_done(&b);
}

static void
test_hang_up_during_order(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client gone = {0}, later = {0};

	post(w, &gone, &b);
	op_cancel(&gone.op);
	settle(w);
	assert_int_equal(fake_orders_open(), 1);
	fake_order_issue(fake_order_at(0));
	settle(w);
	assert_int_equal(gone.answers, 0);
	/* Storage none keeps nothing, but nobody took this one. */
	post(w, &later, &b);
	expect_pem(&later);
	assert_true(later.cached);
	assert_int_equal(fake_acme.started, 1);
	/* It is taken now: storage none. */
	post(w, &later, &b);
	assert_int_equal(later.answers, 0);
	assert_int_equal(fake_acme.started, 2);
	op_cancel(&later.op);
	client_done(&later);
	body_done(&b);
}

static void
test_one_of_several_hangs_up(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c[3] = {0};

	for (int i = 0; i < 3; i++)
		post(w, &c[i], &b);
	op_cancel(&c[0].op);
	op_cancel(&c[2].op);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&c[1]);
	assert_int_equal(c[0].answers + c[2].answers, 0);
	client_done(&c[1]);
	body_done(&b);
}

static void
test_hang_up_during_store(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client c = {0};

	w->kept.put_ms = 100;
	post(w, &c, &b);
	fake_order_issue(fake_order_at(0));
	settle(w);
	assert_int_equal(w->kept.puts, 1);
	assert_int_equal(c.answers, 0); /* durable first */
	op_cancel(&c.op);
	pass(w, SECOND);
	assert_int_equal(desk_jobs(w->desk), 0);
	post(w, &c, &b);
	expect_pem(&c);
	assert_true(c.cached);
	assert_int_equal(fake_acme.started, 1);
	client_done(&c);
	body_done(&b);
}

static void
test_hang_up_while_waiting_for_a_turn(void **state)
{
	struct world *w = *state;
	struct body a = body_make("www.example"), b = body_make("www.example");
	struct client first = {0}, second = {0};

	post(w, &first, &a);
	post(w, &second, &b);
	op_cancel(&second.op);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&first);
	/* The order goes on. */
	assert_int_equal(fake_acme.started, 2);
	fake_order_issue(fake_order_at(0));
	settle(w);
	post(w, &second, &b);
	expect_pem(&second);
	client_done(&first);
	client_done(&second);
	body_done(&a);
	body_done(&b);
}

/* ---- joined at every moment ---- */

static void
test_join_during_store(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client first = {0}, second = {0};

	w->kept.put_ms = 100;
	post(w, &first, &b);
	/* Its look-up ends before the certificate is there. */
	w->kept.put_fails = (struct err){.kind = ERR_CONFIG, .detail = "disk full"};
	fake_order_issue(fake_order_at(0));
	post(w, &second, &b);
	assert_int_equal(second.answers, 0);
	pass(w, SECOND);
	expect_pem(&first);
	expect_pem(&second);
	assert_int_equal(fake_acme.started, 1);
	client_done(&first);
	client_done(&second);
	body_done(&b);
}

/* ---- same names, other keys ---- */

static void
test_same_names_take_turns(void **state)
{
	struct world *w = *state;
	struct body a = body_make("a.example,b.example"), b = body_make("b.example,a.example");
	struct body other = body_make("a.example");
	struct client c[3] = {0};

	post(w, &c[0], &a);
	post(w, &c[1], &b);
	assert_int_equal(fake_orders_open(), 1);
	assert_int_equal(desk_jobs(w->desk), 2);
	post(w, &c[2], &other);
	assert_int_equal(fake_orders_open(), 2);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&c[0]);
	assert_int_equal(fake_orders_open(), 2);
	fake_order_issue(fake_order_at(0));
	fake_order_issue(fake_order_at(0));
	settle(w);
	for (int i = 0; i < 3; i++) {
		expect_pem(&c[i]);
		client_done(&c[i]);
	}
	body_done(&a);
	body_done(&b);
	body_done(&other);
}

static void
test_turn_after_a_failed_name(void **state)
{
	struct world *w = *state;
	struct body a = body_make("www.example"), b = body_make("www.example");
	struct client c[2] = {0};

	post(w, &c[0], &a);
	post(w, &c[1], &b);
	fake_order_fail(fake_order_at(0), ERR_VALIDATION, "www.example: no such host", 0);
	settle(w);
	/* What was learnt about the name holds for the next one too. */
	for (int i = 0; i < 2; i++) {
		expect_error(&c[i], ERR_VALIDATION);
		assert_string_equal(c[i].error.detail, "www.example: no such host");
		client_done(&c[i]);
	}
	assert_int_equal(fake_acme.started, 1);
	body_done(&a);
	body_done(&b);
}

static void
test_turn_after_a_failed_ca(void **state)
{
	struct world *w = *state;
	struct body a = body_make("www.example"), b = body_make("www.example");
	struct client c[2] = {0};

	post(w, &c[0], &a);
	post(w, &c[1], &b);
	fake_order_fail(fake_order_at(0), ERR_UPSTREAM, "the CA answered 500", 0);
	settle(w);
	expect_error(&c[0], ERR_UPSTREAM);
	assert_int_equal(fake_orders_open(), 1);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&c[1]);
	client_done(&c[0]);
	client_done(&c[1]);
	body_done(&a);
	body_done(&b);
}

/* ---- time ---- */

static void
test_timeout_and_again(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};

	post(w, &c, &b);
	pass(w, TIMEOUT_MS - 1);
	assert_int_equal(c.answers, 0);
	pass(w, 1);
	expect_error(&c, ERR_TIMEOUT);
	assert_non_null(strstr(c.error.detail, "same CSR"));
	assert_true(c.error.retry_after > 0);
	assert_int_equal(fake_orders_open(), 1);
	post(w, &c, &b);
	assert_int_equal(fake_acme.started, 1);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&c);
	client_done(&c);
	body_done(&b);
}

static void
test_result_after_timeout(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};

	post(w, &c, &b);
	pass(w, TIMEOUT_MS);
	expect_error(&c, ERR_TIMEOUT);
	fake_order_issue(fake_order_at(0));
	pass(w, HOUR - 1);
	post(w, &c, &b);
	expect_pem(&c);
	assert_int_equal(fake_acme.started, 1);
	client_done(&c);
	body_done(&b);
}

static void
test_result_is_kept_an_hour(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};

	post(w, &c, &b);
	op_cancel(&c.op);
	fake_order_issue(fake_order_at(0));
	pass(w, HOUR);
	post(w, &c, &b);
	assert_int_equal(fake_acme.started, 2);
	op_cancel(&c.op);
	body_done(&b);
}

static void
test_timeout_with_challenge_errors(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};

	post(w, &c, &b);
	fake_order_challenge_error(fake_order_at(0), "www.example: connection refused");
	pass(w, TIMEOUT_MS);
	expect_error(&c, ERR_VALIDATION);
	assert_string_equal(c.error.detail, "www.example: connection refused");
	/* The order goes on, so there is nothing to remember. */
	post(w, &c, &b);
	fake_order_challenge_error(fake_order_at(0), NULL);
	pass(w, TIMEOUT_MS);
	expect_error(&c, ERR_TIMEOUT);
	fake_order_issue(fake_order_at(0));
	settle(w);
	post(w, &c, &b);
	expect_pem(&c);
	client_done(&c);
	body_done(&b);
}

static void
test_timeout_during_look_up(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client c = {0};

	w->kept.get_ms = -1;
	post(w, &c, &b);
	pass(w, TIMEOUT_MS);
	expect_error(&c, ERR_TIMEOUT);
	assert_int_equal(desk_jobs(w->desk), 0);
	client_done(&c);
	body_done(&b);
}

static void
test_job_deadline(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};

	post(w, &c, &b);
	pass(w, ORDER_TIMEOUT_MS - MINUTE);
	expect_error(&c, ERR_TIMEOUT);
	post(w, &c, &b);
	assert_int_equal(fake_orders_open(), 1);
	/* The order itself knows the deadline and would say what it waited for. */
	pass(w, MINUTE + SECOND);
	assert_int_equal(c.answers, 0);
	pass(w, 2 * SECOND);
	expect_error(&c, ERR_TIMEOUT);
	assert_int_equal(fake_orders_open(), 0);
	assert_int_equal(desk_jobs(w->desk), 0);
	client_done(&c);
	body_done(&b);
}

static void
test_job_deadline_in_turn(void **state)
{
	struct world *w = *state;
	struct body a = body_make("www.example"), b = body_make("www.example");
	struct body c = body_make("www.example");
	struct client first = {0}, second = {0}, third = {0};

	post(w, &first, &a);
	pass(w, SECOND);
	post(w, &second, &b);
	pass(w, 9 * SECOND);
	post(w, &third, &c);
	pass(w, ORDER_TIMEOUT_MS - 5 * SECOND);
	/* The second ran out of time in the queue, the third came to its turn. */
	assert_int_equal(desk_jobs(w->desk), 1);
	assert_int_equal(fake_acme.started, 2);
	pass(w, 10 * SECOND);
	assert_int_equal(desk_jobs(w->desk), 0);
	assert_int_equal(fake_orders_open(), 0);
	client_done(&first);
	client_done(&second);
	client_done(&third);
	body_done(&a);
	body_done(&b);
	body_done(&c);
}

static void
test_store_that_never_answers(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client c = {0};

	w->kept.put_ms = -1;
	post(w, &c, &b);
	fake_order_issue(fake_order_at(0));
	pass(w, MINUTE);
	expect_pem(&c);
	assert_int_equal(logged(w, "could not be stored"), 1);
	client_done(&c);
	body_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENARIO(test_one_order_for_identical_requests),
	    SCENARIO(test_each_is_authorised_for_himself),
	    SCENARIO(test_other_profile_is_another_order),
	    SCENARIO(test_hang_up_at_once),
	    SCENARIO(test_hang_up_while_refused),
	    SCENARIO(test_hang_up_during_look_up),
	    SCENARIO(test_hang_up_during_order),
	    SCENARIO(test_one_of_several_hangs_up),
	    SCENARIO(test_hang_up_during_store),
	    SCENARIO(test_hang_up_while_waiting_for_a_turn),
	    SCENARIO(test_join_during_store),
	    SCENARIO(test_same_names_take_turns),
	    SCENARIO(test_turn_after_a_failed_name),
	    SCENARIO(test_turn_after_a_failed_ca),
	    SCENARIO(test_timeout_and_again),
	    SCENARIO(test_result_after_timeout),
	    SCENARIO(test_result_is_kept_an_hour),
	    SCENARIO(test_timeout_with_challenge_errors),
	    SCENARIO(test_timeout_during_look_up),
	    SCENARIO(test_job_deadline),
	    SCENARIO(test_job_deadline_in_turn),
	    SCENARIO(test_store_that_never_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
