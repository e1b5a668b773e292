/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dns01-dnsUpdate: what is brought into a zone, who shares it, and that nothing stays behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ev/op.h"
#include "ev/timer.h"
#include "world.h"

static int
set_up(void **state)
{
	*state = world_new();
	return 0;
}

static int
tear_down(void **state)
{
	world_free(*state);
	return 0;
}

static void
expect_empty(struct world *w)
{
	world_wait_idle(w);
	assert_int_equal(w->primary.dynamic_count, 0);
	for (size_t i = 0; i < SECONDARIES; i++)
		assert_int_equal(w->secondary[i].dynamic_count, 0);
}

static void
test_present_and_withdraw(void **state)
{
	struct world *w = *state;

	world_open(w);
	world_present(w, 0, "www.example.org", "t0");
	world_expect_success(w, 0);
	assert_true(model_has(&w->primary, w->asks[0].name, w->asks[0].value));
	assert_int_equal(w->challenge->active, 1);
	world_withdraw(w, 0);
	expect_empty(w);
	assert_string_equal(w->warnings, "");
}

/* The apex and its wildcard, and what somebody else put there. */
static void
test_two_values_at_one_name(void **state)
{
	struct world *w = *state;

	strcpy(w->primary.dynamic[0].name, "_acme-challenge.example.org");
	strcpy(w->primary.dynamic[0].value, "foreign");
	w->primary.dynamic_count = 1;
	world_open(w);
	world_present(w, 0, "example.org", "t0");
	world_present(w, 1, "example.org", "t1");
	world_expect_success(w, 0);
	world_expect_success(w, 1);
	assert_int_equal(model_count(&w->primary, "_acme-challenge.example.org"), 3);
	world_withdraw(w, 0);
	world_run(w, 100);
	assert_false(model_has(&w->primary, w->asks[0].name, w->asks[0].value));
	assert_true(model_has(&w->primary, w->asks[1].name, w->asks[1].value));
	world_withdraw(w, 1);
	world_wait_idle(w);
	assert_int_equal(w->primary.dynamic_count, 1);
	assert_true(model_has(&w->primary, "_acme-challenge.example.org", "foreign"));
}

static void
test_shared_presentation_is_counted(void **state)
{
	struct world *w = *state;

	world_open(w);
	world_present(w, 0, "example.org", "same");
	world_present(w, 1, "example.org", "same");
	world_expect_success(w, 0);
	world_expect_success(w, 1);
	world_present(w, 2, "example.org", "same");
	world_expect_success(w, 2);
	assert_int_equal(w->primary.adds, 1);
	world_withdraw(w, 0);
	world_withdraw(w, 1);
	world_withdraw(w, 1);
	world_run(w, 100);
	assert_int_equal(w->primary.dynamic_count, 1);
	world_withdraw(w, 2);
	expect_empty(w);
	assert_int_equal(w->primary.deletes, 1);
}

/* ---- serialising ---- */

enum { SLOW_MS = 50 };

/* Answers updates late, but before the client would send them again. */
static bool
slow_updates(void *arg, struct model *m, const struct peer_query *q)
{
	struct world *w = arg;
	struct buf out;

	if (q->message->opcode != LDNS_PACKET_UPDATE)
		return false;
	peer_build(q, &(struct peer_answer){.key = &w->key}, &out);
	peer_send_later(q, out.data, out.len, SLOW_MS);
	buf_done(&out);
	return true;
}

/* Several names lead to one; each change there waits for the one before. */
static void
test_changes_at_one_name_are_serialised(void **state)
{
	struct world *w = *state;

	w->primary.records[2] = "_acme-challenge.a.example.org. CNAME target.example.org.";
	w->primary.records[3] = "_acme-challenge.b.example.org. CNAME target.example.org.";
	w->primary.records[4] = "_acme-challenge.c.example.org. CNAME target.example.org.";
	w->primary.hook = slow_updates;
	w->conf.dns01_update.propagation_check = false;
	world_open(w);
	int64_t start = clock_mono_ms();
	world_present(w, 0, "a.example.org", "t0");
	world_present(w, 1, "b.example.org", "t1");
	world_present(w, 2, "c.example.org", "t2");
	for (size_t i = 0; i < 3; i++)
		world_expect_success(w, i);
	assert_true(clock_mono_ms() - start >= 3 * SLOW_MS);
	for (size_t i = 0; i < 3; i++)
		world_withdraw(w, i);
	world_wait_idle(w);
	assert_true(clock_mono_ms() - start >= 6 * SLOW_MS);
}

static void
test_other_names_do_not_wait(void **state)
{
	struct world *w = *state;
	char name[32];

	w->primary.hook = slow_updates;
	w->conf.dns01_update.propagation_check = false;
	world_open(w);
	int64_t start = clock_mono_ms();
	for (size_t i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "n%zu.example.org", i);
		world_present(w, i, name, "t");
	}
	for (size_t i = 0; i < 16; i++)
		world_expect_success(w, i);
	assert_true(clock_mono_ms() - start < 6 * SLOW_MS);
	for (size_t i = 0; i < 16; i++)
		world_withdraw(w, i);
	world_wait_idle(w);
}

static void
test_many_orders_at_once(void **state)
{
	struct world *w = *state;
	char name[32];

	world_open(w);
	for (size_t i = 0; i < ASKS; i++) {
		snprintf(name, sizeof(name), "n%zu.example.org", i / 2);
		world_present(w, i, name, i % 2 == 0 ? "even" : "odd");
	}
	for (size_t i = 0; i < ASKS; i++)
		world_expect_success(w, i);
	assert_int_equal(w->primary.dynamic_count, ASKS);
	for (size_t i = 0; i < ASKS; i++)
		world_withdraw(w, i);
	expect_empty(w);
}

/* ---- every step cancelled, every step failing ---- */

enum script { CANCEL, SERVFAIL, REFUSED, DROP, GARBAGE, LATE, FREE, SCRIPTS };

static bool
at_trigger(void *arg, struct model *m, const struct peer_query *q)
{
	struct world *w = arg;
	struct buf out;

	if (++w->message != w->trigger)
		return false;
	switch ((enum script)w->script) {
	case SERVFAIL:
		peer_answer(q, &(struct peer_answer){.rcode = 2, .key = &w->key});
		return true;
	case REFUSED:
		peer_answer(q, &(struct peer_answer){.rcode = 5, .key = &w->key});
		return true;
	case DROP:
		return true;
	case GARBAGE:
		peer_send(q, "garbage", 7);
		return false;
	case LATE:
		peer_build(q, &(struct peer_answer){.rcode = 2, .key = &w->key}, &out);
		if (!q->tcp)
			peer_send_later(q, out.data, out.len, 400);
		buf_done(&out);
		return false;
	case CANCEL:
	case FREE:
	case SCRIPTS:
		break;
	}
	return false;
}

/* How many messages one presentation with its withdrawal takes. */
static size_t
count_messages(void)
{
	struct world *w = world_new();

	w->primary.hook = at_trigger;
	w->primary.records[2] = "_acme-challenge.www.example.org. CNAME target.example.org.";
	world_open(w);
	world_present(w, 0, "www.example.org", "t0");
	world_expect_success(w, 0);
	world_withdraw(w, 0);
	expect_empty(w);
	size_t count = w->message;
	world_free(w);
	assert_true(count >= 8);
	return count;
}

static void
run_until_trigger(struct world *w)
{
	int64_t end = clock_mono_ms() + 5000;

	while (w->message < w->trigger && !w->asks[0].told && clock_mono_ms() < end)
		loop_turn(w->loop, true);
}

static void
run_script(enum script script, size_t trigger)
{
	struct world *w = world_new();

	w->primary.hook = at_trigger;
	w->primary.records[2] = "_acme-challenge.www.example.org. CNAME target.example.org.";
	w->script = script;
	w->trigger = trigger;
	world_open(w);
	world_present(w, 0, "www.example.org", "t0");
	if (script == CANCEL || script == FREE) {
		run_until_trigger(w);
		op_cancel(&w->asks[0].slot);
		if (w->asks[0].told && script == CANCEL)
			world_withdraw(w, 0);
	} else {
		world_wait(w, 0);
		if (w->asks[0].success)
			world_withdraw(w, 0);
	}
	if (script != FREE)
		expect_empty(w);
	world_free(w);
}

static void
test_every_step_cancelled(void **state)
{
	size_t count = count_messages();

	for (size_t i = 0; i <= count; i++)
		run_script(CANCEL, i);
}

static void
test_every_step_torn_down(void **state)
{
	size_t count = count_messages();

	for (size_t i = 0; i <= count; i++)
		run_script(FREE, i);
}

static void
test_every_step_failing(void **state)
{
	static const enum script scripts[] = {SERVFAIL, REFUSED, DROP, GARBAGE, LATE};
	size_t count = count_messages();

	for (size_t s = 0; s < sizeof(scripts) / sizeof(scripts[0]); s++)
		for (size_t i = 1; i <= count; i++)
			run_script(scripts[s], i);
}

/* ---- the server acts, but its answers do not arrive ---- */

static bool
acts_silently(void *arg, struct model *m, const struct peer_query *q)
{
	struct world *w = arg;
	bool add = q->message->opcode == LDNS_PACKET_UPDATE && m->deletes == 0 && m->adds == 0;

	if (!add || w->message++ > 0)
		return q->message->opcode == LDNS_PACKET_UPDATE && w->script > 0 && w->script-- > 0;
	strcpy(m->dynamic[0].name, "_acme-challenge.www.example.org");
	strcpy(m->dynamic[0].value, w->asks[0].value);
	m->dynamic_count = 1;
	return true;
}

static void
test_unanswered_update_is_taken_back(void **state)
{
	struct world *w = *state;

	w->primary.hook = acts_silently;
	w->script = 3; /* two retransmissions and TCP */
	world_open(w);
	world_present(w, 0, "www.example.org", "t0");
	world_expect_error(w, 0, ERR_UNREACHABLE, "no answer in time");
	assert_int_equal(w->primary.dynamic_count, 1);
	expect_empty(w);
	assert_int_equal(w->primary.deletes, 1);
}

static bool
deletes_fail_twice(void *arg, struct model *m, const struct peer_query *q)
{
	struct world *w = arg;

	if (q->message->opcode != LDNS_PACKET_UPDATE || m->adds == 0 || w->script == 2)
		return false;
	w->script++;
	peer_answer(q, &(struct peer_answer){.rcode = 2, .key = &w->key});
	return true;
}

static void
test_deleting_is_tried_again(void **state)
{
	struct world *w = *state;

	w->primary.hook = deletes_fail_twice;
	world_open(w);
	world_present(w, 0, "www.example.org", "t0");
	world_expect_success(w, 0);
	world_withdraw(w, 0);
	expect_empty(w);
	assert_int_equal(w->script, 2);
	assert_string_equal(w->warnings, "");
}

static void
test_presented_again_while_it_is_taken_away(void **state)
{
	struct world *w = *state;

	w->primary.hook = deletes_fail_twice;
	world_open(w);
	world_present(w, 0, "www.example.org", "t0");
	world_expect_success(w, 0);
	world_withdraw(w, 0);
	world_run(w, 100);
	world_present(w, 1, "www.example.org", "t0");
	world_expect_success(w, 1);
	assert_int_equal(w->primary.dynamic_count, 1);
	world_withdraw(w, 1);
	expect_empty(w);
	assert_int_equal(w->primary.adds, 2);
	assert_int_equal(w->primary.deletes, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_present_and_withdraw),
	    TEST(test_two_values_at_one_name),
	    TEST(test_shared_presentation_is_counted),
	    TEST(test_changes_at_one_name_are_serialised),
	    TEST(test_other_names_do_not_wait),
	    TEST(test_many_orders_at_once),
	    cmocka_unit_test(test_every_step_cancelled),
	    cmocka_unit_test(test_every_step_torn_down),
	    cmocka_unit_test(test_every_step_failing),
	    TEST(test_unanswered_update_is_taken_back),
	    TEST(test_deleting_is_tried_again),
	    TEST(test_presented_again_while_it_is_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
