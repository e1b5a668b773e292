/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Limits, and the way down. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static void
idle(void *arg)
{
	((struct world *)arg)->idle++;
}

static void
test_max_orders(void **state)
{
	struct world *w = *state;
	struct body b[MAX_ORDERS + 1];
	struct client c[MAX_ORDERS + 1] = {0}, joined = {0};

	for (int i = 0; i <= MAX_ORDERS; i++) {
		char name[32];
		snprintf(name, sizeof(name), "n%d.example", i);
		b[i] = body_make(name);
		post(w, &c[i], &b[i]);
	}
	expect_error(&c[MAX_ORDERS], ERR_BUSY);
	assert_true(c[MAX_ORDERS].error.retry_after > 0);
	assert_int_equal(fake_orders_open(), MAX_ORDERS);
	/* Who waits does not count. */
	post(w, &joined, &b[0]);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&joined);
	post(w, &c[MAX_ORDERS], &b[MAX_ORDERS]);
	assert_int_equal(fake_orders_open(), MAX_ORDERS);
	while (fake_orders_open() > 0)
		fake_order_issue(fake_order_at(0));
	settle(w);
	for (int i = 0; i <= MAX_ORDERS; i++) {
		expect_pem(&c[i]);
		client_done(&c[i]);
		body_done(&b[i]);
	}
	client_done(&joined);
}

static void
test_draining(void **state)
{
	struct world *w = *state;
	struct body running = body_make("a.kept"), stored = body_make("b.kept");
	struct body new = body_make("c.kept");
	struct client c[4] = {0};

	issue(w, &c[0], &stored);
	post(w, &c[1], &running);
	desk_drain(w->desk);
	desk_on_idle(w->desk, idle, w);
	settle(w);
	assert_int_equal(w->idle, 0);

	post(w, &c[0], &stored);
	expect_pem(&c[0]);
	post(w, &c[2], &new);
	expect_error(&c[2], ERR_BUSY);
	post(w, &c[3], &running); /* what runs may be waited for */
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&c[1]);
	expect_pem(&c[3]);
	assert_int_equal(w->idle, 1);
	for (int i = 0; i < 4; i++)
		client_done(&c[i]);
	body_done(&running);
	body_done(&stored);
	body_done(&new);
}

static void
test_idle_at_once(void **state)
{
	struct world *w = *state;

	desk_on_idle(w->desk, idle, w);
	assert_int_equal(w->idle, 0);
	settle(w);
	assert_int_equal(w->idle, 1);
	assert_int_equal(desk_jobs(w->desk), 0);
}

static void
test_abort(void **state)
{
	struct world *w = *state;
	struct body order = body_make("www.example"), turn = body_make("www.example");
	struct body store = body_make("www.kept");
	struct client c[4] = {0};
	struct err e;

	w->kept.put_ms = MINUTE;
	post(w, &c[2], &store);
	fake_order_issue(fake_order_at(0));
	post(w, &c[0], &order);
	post(w, &c[1], &turn);
	post(w, &c[3], &order);
	assert_int_equal(desk_jobs(w->desk), 3);
	desk_drain(w->desk);
	desk_on_idle(w->desk, idle, w);
	err_set(&e, ERR_BUSY, "shutting down");
	desk_abort(w->desk, &e);
	assert_int_equal(desk_jobs(w->desk), 0);
	assert_int_equal(fake_acme.cancelled, 1);
	settle(w);
	assert_int_equal(w->idle, 1);
	expect_error(&c[0], ERR_BUSY);
	expect_error(&c[1], ERR_BUSY);
	expect_error(&c[3], ERR_BUSY);
	expect_pem(&c[2]); /* it was issued: nobody is served by throwing it away */
	/* No name is to blame. */
	desk_abort(w->desk, &e);
	for (int i = 0; i < 4; i++)
		client_done(&c[i]);
	body_done(&order);
	body_done(&turn);
	body_done(&store);
}

static void
test_freed_with_everything_in_flight(void **state)
{
	struct world *w = *state;
	struct body b[3] = {
	    body_make("www.example"), body_make("www.example"), body_make("x.kept")};
	struct client c[5] = {0};

	post(w, &c[0], &b[0]);
	post(w, &c[1], &b[0]);
	post(w, &c[2], &b[1]);
	w->kept.get_ms = MINUTE;
	post(w, &c[3], &b[2]);
	post_from(w, &c[4], &b[0], "192.0.2.1"); /* not even begun */
	desk_free(w->desk);
	w->desk = NULL;
	settle(w);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(c[i].answers, 0);
		assert_null(c[i].op);
	}
	for (int i = 0; i < 3; i++)
		body_done(&b[i]);
}

/* ---- a completion that does what it likes ---- */

struct nested {
	struct client client; /* first: it is the next one's */
	struct world *w;
	struct body *b;
	struct client *victim;
};

static void
post_again(void *arg, const struct sign_result *result, const struct err *e)
{
	struct nested *n = arg;

	if (n->victim != NULL)
		op_cancel(&n->victim->op);
	n->victim = NULL;
	post_from(n->w, &n->client, n->b, "192.0.2.1");
}

static void
test_completion_posts_again_and_cancels_another(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client victim = {0};
	struct nested n = {.w = w, .b = &b, .victim = &victim};
	struct client_identity who = {.has_addr = true, .text = "192.0.2.1"};
	struct sign_request request = {.who = &who, .body = b.text, .body_len = strlen(b.text)};
	struct op *op = NULL;

	assert_true(ip_addr_parse("192.0.2.1", 9, &who.addr));
	desk_sign(w->desk, &request, post_again, &n, &op);
	settle(w);
	post(w, &victim, &b);
	fake_order_issue(fake_order_at(0));
	settle(w);
	assert_int_equal(victim.answers, 0);
	/* What was posted from within is a new matter. */
	assert_int_equal(fake_acme.started, 2);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&n.client);
	client_done(&n.client);
	body_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENARIO(test_max_orders),
	    SCENARIO(test_draining),
	    SCENARIO(test_idle_at_once),
	    SCENARIO(test_abort),
	    SCENARIO(test_freed_with_everything_in_flight),
	    SCENARIO(test_completion_posts_again_and_cancels_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
