/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders that succeed, in all the ways CAs have of getting there. */
#include <string.h>

#include "ev/op.h"
#include "world.h"

static void
one_name(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	world_ready(&w);
	order_start(&w, &r, "www.a.test");
	assert_true(order_wait(&w, &r, 10 * 1000));
	assert_issued(&r);
	assert_string_equal(
	    r.states, " account new-order authorize poll finalize wait poll download");
	assert_int_equal(w.solver.presented, 1);
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 1);
	order_done(&r);
	world_close(&w);
}

/* What people who watch are told: of each name as it was asked for. */
static void
steps_are_told(void **state)
{
	struct world w;
	struct result r;

	world_open_at(&w, "https://ca.test", "dns-01");
	w.fake.authorized_names = ",b.test,";
	world_ready(&w);
	order_start(&w, &r, "*.a.test,b.test");
	assert_true(order_wait(&w, &r, 10 * 1000));
	assert_issued(&r);
	assert_string_equal(r.steps, " *.a.test:present b.test:valid *.a.test:tell *.a.test:valid");
	order_done(&r);

	w.fake.fail = ",c.test,";
	order_start(&w, &r, "c.test");
	assert_true(order_wait(&w, &r, 10 * 1000));
	assert_failed(&r, ERR_VALIDATION, "c.test");
	assert_string_equal(r.steps, " c.test:present c.test:tell c.test:failed");
	order_done(&r);
	world_close(&w);
}

/* Orders wait for an account that is being brought in order. */
static void
before_the_account(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.delay_ms = 100;
	world_start(&w);
	order_good(&w, "a.test");
	world_close(&w);
}

static void
many_names(void **state)
{
	struct world w;
	struct result r;

	world_open_at(&w, "https://ca.test", "dns-01");
	w.fake.validation_ms = 700;
	world_ready(&w);
	order_start(&w, &r, "a.test,*.a.test,b.test,c.test,d.test,e.test,f.test,g.test,h.test");
	order_wait(&w, &r, 60 * 1000);
	assert_issued(&r);
	assert_int_equal(w.solver.presented, 9);
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 9);
	order_done(&r);
	world_close(&w);
}

/* ---- two values at one name: the CA looks when both are there ---- */

static void
all_presented(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step == FAKE_CHALLENGE)
		assert_int_equal(ca->solver->presented, *(unsigned *)ca->arg);
}

static void
told_when_all_are_presented(void **state)
{
	unsigned expected = 3;
	struct world w;
	struct result r;

	world_open_at(&w, "https://ca.test", "dns-01");
	w.solver.delay_ms = 100;
	w.solver.delay_more_ms = 700;
	w.fake.after = all_presented;
	w.fake.arg = &expected;
	world_ready(&w);
	order_start(&w, &r, "a.test,*.a.test,b.test");
	assert_true(order_wait(&w, &r, 10 * 1000));
	assert_issued(&r);
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 3);
	order_done(&r);
	world_close(&w);
}

static void
slow_valid(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step == FAKE_AUTHORIZATION && reply->body != NULL &&
	    strstr(reply->body, "b.test") != NULL)
		reply->delay_ms = 3 * 1000;
	if (step == FAKE_CHALLENGE)
		assert_int_equal(ca->solver->presented, 2);
}

/* The last one they wait for needs no answer at all. */
static void
told_when_the_last_needs_none(void **state)
{
	struct world w;
	struct result r;

	world_open_at(&w, "https://ca.test", "dns-01");
	w.fake.authorized_names = ",b.test,";
	w.fake.after = slow_valid;
	world_ready(&w);
	order_start(&w, &r, "a.test,*.a.test,b.test");
	fake_clock_advance(w.loop, 2 * 1000);
	assert_int_equal(w.solver.presented, 2);
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 0);
	assert_true(order_wait(&w, &r, 10 * 1000));
	assert_issued(&r);
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 2);
	order_done(&r);
	world_close(&w);
}

static void
address(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	order_good(&w, "192.0.2.1,a.test");
	assert_non_null(strstr(
	    w.fake.last_payload[FAKE_NEW_ORDER], "{\"type\":\"ip\",\"value\":\"192.0.2.1\"}"));
	world_close(&w);
}

/* ---- what is granted already is not asked for again ---- */

/* The valid authorizations show no challenge at all. */
static void
authorizations_valid(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.authorized = true;
	world_ready(&w);
	order_good(&w, "a.test,b.test");
	assert_int_equal(w.solver.presented, 0);
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 0);
	world_close(&w);
}

static void
order_ready(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.ready = true;
	world_ready(&w);
	order_good(&w, "a.test");
	assert_int_equal(w.fake.count[FAKE_AUTHORIZATION], 0);
	world_close(&w);
}

static void
no_authorizations(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.no_authorizations = true;
	w.fake.order_polls = 2;
	world_ready(&w);
	order_good(&w, "a.test");
	assert_int_equal(w.fake.count[FAKE_AUTHORIZATION], 0);
	world_close(&w);
}

/* The same URL twice is one authorization: its challenge is posted once. */
static void
listed_twice(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.twice_listed = true;
	world_ready(&w);
	order_good(&w, "a.test,b.test");
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 2);
	world_close(&w);
}

/* In a reused order the CA has been told already. */
static void
challenge_processing(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.challenge_processing = true;
	w.fake.validation_ms = 300;
	world_ready(&w);
	order_good(&w, "a.test");
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 0);
	assert_int_equal(w.solver.presented, 1);
	world_close(&w);
}

/* ---- how other CAs differ ---- */

static void
finalize_valid(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.finalize_valid = true;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 10 * 1000);
	assert_issued(&r);
	assert_string_equal(r.states, " account new-order authorize poll finalize download");
	order_done(&r);
	world_close(&w);
}

static void
validated_in_post(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.validate_in_post = true;
	world_ready(&w);
	order_good(&w, "a.test");
	world_close(&w);
}

static void
empty_answers(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.empty_answers = true;
	w.fake.account_without_body = true;
	world_ready(&w);
	order_good(&w, "a.test");
	world_close(&w);
}

static void
html(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step == FAKE_CHALLENGE || step == FAKE_FINALIZE)
		fake_http_status(reply, 200, "<html><body>thank you</body></html>");
}

static void
html_answers(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.after = html;
	world_ready(&w);
	order_good(&w, "a.test");
	world_close(&w);
}

static void
nonces_only_on_request(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.no_nonces = true;
	world_ready(&w);
	order_good(&w, "a.test,b.test,c.test");
	world_close(&w);
}

/* Every answer brings a nonce, so one HEAD is enough for all. */
static void
nonces_kept(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	order_good(&w, "a.test");
	order_good(&w, "b.test");
	assert_int_equal(w.fake.count[FAKE_NEW_NONCE], 1);
	world_close(&w);
}

static void
null_meta(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.null_meta = true;
	world_ready(&w);
	order_good(&w, "a.test");
	world_close(&w);
}

static void
slow_to_be_ready(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.order_polls = 3;
	w.fake.processing_polls = 4;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 60 * 1000);
	assert_issued(&r);
	assert_string_equal(r.states,
	    " account new-order authorize poll wait poll wait poll wait "
	    "poll finalize wait poll wait poll wait poll wait poll wait "
	    "poll download");
	order_done(&r);
	world_close(&w);
}

static void
not_ready_at_finalize(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.not_ready = 2;
	world_ready(&w);
	order_good(&w, "a.test");
	assert_int_equal(w.fake.count[FAKE_FINALIZE], 3);
	assert_int_equal(w.fake.certificates, 1);
	world_close(&w);
}

/* ---- orders that are not ours ---- */

static void
foreign_orders(void **state)
{
	for (int valid = 0; valid < 2; valid++) {
		struct world w;

		world_open(&w);
		w.fake.foreign = 3;
		w.fake.foreign_valid = valid;
		world_ready(&w);
		order_good(&w, "a.test");
		assert_int_equal(w.fake.orders_made, 4);
		world_close(&w);
	}
}

static void
foreign_for_ever(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.foreign = 1000;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 60 * 1000);
	assert_failed(&r, ERR_UPSTREAM, "not ours");
	assert_int_equal(w.fake.orders_made, 4);
	order_done(&r);
	world_close(&w);
}

static void
other_key(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.other_key = 2;
	world_ready(&w);
	order_good(&w, "a.test");
	assert_int_equal(w.fake.orders_made, 3);
	world_close(&w);
}

static void
other_key_for_ever(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.other_key = 1000;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 60 * 1000);
	assert_failed(&r, ERR_UPSTREAM, "another key");
	order_done(&r);
	world_close(&w);
}

/* Let's Encrypt gives both the same order: one finalizes it, the other must notice and order again.
 * The desk lets them take turns; without it they get through all the same. */
static void
shared_order(void **state)
{
	struct world w;
	struct result a;
	struct result b;

	world_open(&w);
	w.fake.reuse = true;
	w.fake.challenge_processing = true; /* whoever comes second must not post it again */
	w.fake.validation_ms = 100;
	w.fake.processing_polls = 3;
	world_ready(&w);
	order_start(&w, &a, "a.test");
	order_start_with(&w, &b, "a.test", FAKE_CSR_RSA, NULL, 600 * 1000);
	order_wait(&w, &a, 60 * 1000);
	order_wait(&w, &b, 60 * 1000);
	assert_issued(&a);
	assert_issued(&b);
	assert_int_equal(w.fake.orders_made, 2);
	order_done(&a);
	order_done(&b);
	world_close(&w);
}

/* A pending order of an earlier life, whose challenge may have been posted then. */
static void
left_over_order(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.reuse = true;
	w.fake.validation_ms = 5000;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	fake_clock_advance(w.loop, 1000);
	assert_false(r.done);
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 1);
	order_done(&r);
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 60 * 1000);
	assert_issued(&r);
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 1);
	assert_int_equal(w.fake.orders_made, 1);
	order_done(&r);
	world_close(&w);
}

/* ---- profile ---- */

static void
profiles(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.profiles = "default,short";
	w.conf.profile = "default";
	world_ready(&w);
	order_good(&w, "a.test");
	assert_non_null(strstr(w.fake.last_payload[FAKE_NEW_ORDER], "\"profile\":\"default\""));
	order_start_with(&w, &r, "b.test", 0, "short", 60 * 1000);
	order_wait(&w, &r, 60 * 1000);
	assert_issued(&r);
	assert_non_null(strstr(w.fake.last_payload[FAKE_NEW_ORDER], "\"profile\":\"short\""));
	order_done(&r);
	order_start_with(&w, &r, "c.test", 0, "long", 60 * 1000);
	order_wait(&w, &r, 60 * 1000);
	assert_failed(&r, ERR_CONFIG, "it offers: default, short");
	assert_int_equal(w.fake.count[FAKE_NEW_ORDER], 2);
	order_done(&r);
	world_close(&w);
}

static void
no_profiles_offered(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.conf.profile = "short";
	world_ready(&w);
	assert_int_equal(w.events[CA_EVENT_FAILED], 1);
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 60 * 1000);
	assert_failed(&r, ERR_CONFIG, "\"short\"");
	order_done(&r);
	world_close(&w);
}

/* ---- replaces ---- */

static bool
replaced_already(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_NEW_ORDER || ca->count[step] > 1)
		return false;
	fake_ca_problem(reply, 409, "alreadyReplaced", "another order was quicker");
	return true;
}

static void
replaces(void **state)
{
	struct world w;

	world_open(&w);
	w.replaces = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
	world_ready(&w);
	order_good(&w, "a.test");
	assert_null(strstr(w.fake.last_payload[FAKE_NEW_ORDER], "replaces"));
	w.fake.renewal_info = true;
	world_restart(&w);
	order_good(&w, "a.test");
	assert_non_null(strstr(w.fake.last_payload[FAKE_NEW_ORDER], "\"replaces\":\"aYhba"));
	world_close(&w);
}

static void
replaced_by_another(void **state)
{
	struct world w;

	world_open(&w);
	w.replaces = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
	w.fake.renewal_info = true;
	w.fake.before = replaced_already;
	world_ready(&w);
	order_good(&w, "a.test");
	assert_int_equal(w.fake.count[FAKE_NEW_ORDER], 2);
	world_close(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_name),
	    cmocka_unit_test(steps_are_told),
	    cmocka_unit_test(before_the_account),
	    cmocka_unit_test(many_names),
	    cmocka_unit_test(told_when_all_are_presented),
	    cmocka_unit_test(told_when_the_last_needs_none),
	    cmocka_unit_test(address),
	    cmocka_unit_test(authorizations_valid),
	    cmocka_unit_test(order_ready),
	    cmocka_unit_test(no_authorizations),
	    cmocka_unit_test(listed_twice),
	    cmocka_unit_test(challenge_processing),
	    cmocka_unit_test(finalize_valid),
	    cmocka_unit_test(validated_in_post),
	    cmocka_unit_test(empty_answers),
	    cmocka_unit_test(html_answers),
	    cmocka_unit_test(nonces_only_on_request),
	    cmocka_unit_test(nonces_kept),
	    cmocka_unit_test(null_meta),
	    cmocka_unit_test(slow_to_be_ready),
	    cmocka_unit_test(not_ready_at_finalize),
	    cmocka_unit_test(foreign_orders),
	    cmocka_unit_test(foreign_for_ever),
	    cmocka_unit_test(other_key),
	    cmocka_unit_test(other_key_for_ever),
	    cmocka_unit_test(shared_order),
	    cmocka_unit_test(left_over_order),
	    cmocka_unit_test(profiles),
	    cmocka_unit_test(no_profiles_offered),
	    cmocka_unit_test(replaces),
	    cmocka_unit_test(replaced_by_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
