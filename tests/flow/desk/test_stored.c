/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is in the store: returned, due, unfit, or not to be stored at all. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t DAY = (int64_t)24 * HOUR;

static void
test_cached(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client first = {0}, second = {0};
	uint64_t hits = desk_stats(w->desk)->cache_hits;

	issue(w, &first, &b);
	assert_false(first.cached);
	pass(w, 70 * DAY);
	post(w, &second, &b);
	expect_pem(&second);
	assert_true(second.cached);
	assert_string_equal(second.renewal_failed, "");
	assert_string_equal(second.pem, first.pem);
	assert_int_equal(fake_acme.started, 1);
	assert_int_equal(desk_stats(w->desk)->cache_hits - hits, 1);
	assert_int_equal(w->kept.touches, 2);
	assert_string_equal(w->kept.last_peer, "192.0.2.1");
	client_done(&first);
	client_done(&second);
	body_done(&b);
}

static void
test_unfit(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client c = {0};

	issue(w, &c, &b);
	/* Another CA than now: as if nothing were there, also if the order fails. */
	fake_store_set_directory(&w->kept, b.key, "https://staging.test/directory");
	post(w, &c, &b);
	assert_int_equal(fake_orders_open(), 1);
	fake_order_fail(fake_order_at(0), ERR_UNREACHABLE, "gone", 0);
	settle(w);
	expect_error(&c, ERR_UNREACHABLE);
	/* Another profile than the block's. */
	issue(w, &c, &b);
	post_from(w, &c, &b, "198.51.100.1");
	settle(w);
	assert_int_equal(c.answers, 0);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&c);
	assert_int_equal(fake_acme.started, 4);
	client_done(&c);
	body_done(&b);
}

static void
test_profile_of_the_ca(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client c = {0};

	fake_acme.profile = "tlsserver";
	issue(w, &c, &b);
	post(w, &c, &b);
	expect_pem(&c);
	fake_acme.profile = NULL;
	post(w, &c, &b);
	assert_int_equal(fake_acme.started, 2);
	op_cancel(&c.op);
	client_done(&c);
	body_done(&b);
}

/* ---- due ---- */

/* A certificate that has ten days left, and someone who asks for it. */
static void
make_due(struct world *w, struct client *c, struct body *b, char **ret_old)
{
	*b = body_make("www.kept");
	issue(w, c, b);
	*ret_old = strdup(c->pem);
	pass(w, 80 * DAY);
	post(w, c, b);
}

static void
test_due_is_renewed(void **state)
{
	struct world *w = *state;
	struct body b;
	struct client c = {0};
	char *old;

	make_due(w, &c, &b, &old);
	assert_int_equal(c.answers, 0); /* he waits for the new one */
	assert_int_equal(fake_orders_open(), 1);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&c);
	assert_string_not_equal(c.pem, old);
	assert_string_equal(c.renewal_failed, "");
	post(w, &c, &b);
	expect_pem(&c);
	assert_int_equal(fake_acme.started, 2);
	free(old);
	client_done(&c);
	body_done(&b);
}

static void
expect_old(const struct client *c, const char *old, const char *reason)
{
	expect_pem(c);
	assert_string_equal(c->pem, old);
	assert_true(c->cached);
	if (strstr(c->renewal_failed, reason) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", reason, c->renewal_failed);
}

static void
test_due_stands_in(void **state)
{
	static const struct {
		enum err_kind kind;
		bool stands_in;
	} rows[] = {
	    {ERR_UNREACHABLE, true},
	    {ERR_UPSTREAM, true},
	    {ERR_RATE_LIMITED, true},
	    {ERR_ACCOUNT, true},
	    {ERR_INTERNAL, true},
	    {ERR_CONFIG, true},
	    {ERR_TIMEOUT, true},
	    {ERR_BUSY, true},
	    {ERR_BAD_CSR, false},
	    {ERR_VALIDATION, false},
	    {ERR_FORBIDDEN, false},
	};
	struct world *w = *state;
	struct body b;
	struct client c = {0};
	char *old;
	uint64_t before = desk_stats(w->desk)->renewals_failed;
	uint64_t stood_in = 0;

	make_due(w, &c, &b, &old);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char reason[32];

		if (i > 0)
			post(w, &c, &b);
		snprintf(reason, sizeof(reason), "reason %zu", i);
		fake_order_fail(fake_order_at(0), rows[i].kind, reason, 0);
		settle(w);
		if (rows[i].stands_in)
			expect_old(&c, old, reason);
		else
			expect_error(&c, rows[i].kind);
		stood_in += rows[i].stands_in;
		desk_forget_failures(w->desk);
	}
	assert_int_equal(desk_stats(w->desk)->renewals_failed - before, stood_in);
	assert_int_equal(logged(w, "renewal failed"), (int)stood_in);
	free(old);
	client_done(&c);
	body_done(&b);
}

static void
test_due_with_ca_down(void **state)
{
	struct world *w = *state;
	struct body b;
	struct client c = {0};
	char *old;

	make_due(w, &c, &b, &old);
	err_set(&fake_acme.not_ready, ERR_UNREACHABLE, "ca.test cannot be reached");
	fake_order_fail(fake_order_at(0), ERR_UNREACHABLE, "ca.test cannot be reached", 0);
	settle(w);
	for (int i = 0; i < 3; i++) {
		post(w, &c, &b);
		expect_old(&c, old, "cannot be reached");
	}
	assert_int_equal(fake_acme.started, 2);
	/* Until it is no use any more. */
	pass(w, 11 * DAY);
	post(w, &c, &b);
	expect_error(&c, ERR_UNREACHABLE);
	free(old);
	client_done(&c);
	body_done(&b);
}

static void
test_due_at_the_latest_after_timeout(void **state)
{
	struct world *w = *state;
	struct body b;
	struct client c = {0};
	char *old;

	make_due(w, &c, &b, &old);
	pass(w, TIMEOUT_MS);
	expect_old(&c, old, "the order goes on");
	/* A failed validation is not covered up. */
	post(w, &c, &b);
	fake_order_challenge_error(fake_order_at(0), "www.kept: connection refused");
	pass(w, TIMEOUT_MS);
	expect_error(&c, ERR_VALIDATION);
	free(old);
	client_done(&c);
	body_done(&b);
}

static void
test_due_and_name_failed_before(void **state)
{
	struct world *w = *state;
	struct body b;
	struct client c = {0};
	char *old;

	make_due(w, &c, &b, &old);
	fake_order_fail(fake_order_at(0), ERR_VALIDATION, "www.kept: no such host", 0);
	settle(w);
	post(w, &c, &b);
	expect_error(&c, ERR_VALIDATION);
	free(old);
	client_done(&c);
	body_done(&b);
}

static void
test_due_while_draining(void **state)
{
	struct world *w = *state;
	struct body b;
	struct client c = {0};
	char *old;

	make_due(w, &c, &b, &old);
	op_cancel(&c.op);
	fake_order_fail(fake_order_at(0), ERR_UPSTREAM, "no", 0);
	desk_drain(w->desk);
	post(w, &c, &b);
	expect_old(&c, old, "shutting down");
	free(old);
	client_done(&c);
	body_done(&b);
}

static void
test_short_lived(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client c = {0};

	/* Less than renew-within from its first day. */
	fake_acme.days = 6;
	issue(w, &c, &b);
	for (int i = 0; i < 2; i++) {
		post(w, &c, &b);
		expect_pem(&c);
		assert_true(c.cached);
		pass(w, DAY);
	}
	assert_int_equal(logged(w, "renew-within"), 1);
	pass(w, 2 * DAY);
	post(w, &c, &b);
	assert_int_equal(fake_acme.started, 2);
	op_cancel(&c.op);
	client_done(&c);
	body_done(&b);
}

/* ---- a store in trouble ---- */

static void
test_storing_fails(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client c[2] = {0};

	err_set(&w->kept.put_fails, ERR_CONFIG, "no space left on device");
	post(w, &c[0], &b);
	post(w, &c[1], &b);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&c[0]);
	expect_pem(&c[1]);
	assert_int_equal(logged(w, "no space left"), 1);
	/* No second order for what was just issued. */
	for (int i = 0; i < 5; i++) {
		pass(w, 10 * MINUTE);
		post(w, &c[1], &b);
		expect_pem(&c[1]);
		assert_true(c[1].cached);
		assert_string_equal(c[1].pem, c[0].pem);
	}
	assert_int_equal(fake_acme.started, 1);
	client_done(&c[0]);
	client_done(&c[1]);
	body_done(&b);
}

static void
test_reading_fails(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client c = {0};

	err_set(&w->kept.get_fails, ERR_CONFIG, "permission denied");
	issue(w, &c, &b);
	assert_int_equal(logged(w, "permission denied"), 1);
	client_done(&c);
	body_done(&b);
}

/* A disk that is full for a while: no second order, and in the end the certificate is stored. */
static void
test_stored_after_all(void **state)
{
	struct world *w = *state;
	struct body a = body_make("a.kept"), b = body_make("b.kept");
	struct client c = {0};

	w->kept.put_fails = (struct err){.kind = ERR_CONFIG, .detail = "disk full"};
	issue(w, &c, &a);
	pass(w, SECOND);
	issue(w, &c, &b);
	assert_int_equal(w->kept.puts, 2);
	pass(w, 10 * MINUTE);
	assert_in_range(w->kept.puts, 10, 13);
	assert_int_equal(logged(w, "error"), 2);
	w->kept.put_fails.kind = ERR_NONE;
	pass(w, 2 * MINUTE);
	assert_int_equal(logged(w, "is in storage"), 2);
	unsigned puts = w->kept.puts;
	pass(w, 2 * HOUR);
	assert_int_equal(w->kept.puts, puts);
	/* What was kept in memory is gone by now. */
	post(w, &c, &a);
	expect_pem(&c);
	post(w, &c, &b);
	expect_pem(&c);
	assert_int_equal(fake_acme.started, 2);
	client_done(&c);
	body_done(&a);
	body_done(&b);
}

/* Not for ever; and not over what was stored since. */
static void
test_never_stored(void **state)
{
	struct world *w = *state;
	struct body a = body_make("a.kept"), b = body_make("b.kept");
	struct client c = {0};

	w->kept.put_fails = (struct err){.kind = ERR_CONFIG, .detail = "disk full"};
	issue(w, &c, &a);
	pass(w, 2 * HOUR);
	assert_int_equal(logged(w, "and will not be"), 1);
	unsigned puts = w->kept.puts;
	pass(w, HOUR);
	assert_int_equal(w->kept.puts, puts);
	w->kept.put_ms = -1; /* in flight at the end */
	w->kept.put_fails.kind = ERR_NONE;
	post(w, &c, &b);
	fake_order_issue(fake_order_at(0));
	pass(w, 5 * MINUTE);
	expect_pem(&c);
	assert_in_range(w->kept.puts - puts, 3, 6); /* each has its minute */
	client_done(&c);
	body_done(&a);
	body_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENARIO(test_stored_after_all),
	    SCENARIO(test_never_stored),
	    SCENARIO(test_cached),
	    SCENARIO(test_unfit),
	    SCENARIO(test_profile_of_the_ca),
	    SCENARIO(test_due_is_renewed),
	    SCENARIO(test_due_stands_in),
	    SCENARIO(test_due_with_ca_down),
	    SCENARIO(test_due_at_the_latest_after_timeout),
	    SCENARIO(test_due_and_name_failed_before),
	    SCENARIO(test_due_while_draining),
	    SCENARIO(test_short_lived),
	    SCENARIO(test_storing_fails),
	    SCENARIO(test_reading_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
