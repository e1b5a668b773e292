/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dns01-dnsUpdate: the CA is told when all authoritative servers that can be asked serve the value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
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

/* NS records for the primary and n secondaries, everywhere. */
static void
with_secondaries(struct world *w, size_t n)
{
	static const char *const names[] = {"example.org. NS ns2.example.org.",
	    "ns2.example.org. A 127.0.0.2", "example.org. NS ns3.example.org.",
	    "ns3.example.org. A 127.0.0.3"};

	for (size_t i = 0; i < n; i++) {
		world_secondary(w, i);
		w->primary.records[2 + 2 * i] = names[2 * i];
		w->primary.records[3 + 2 * i] = names[2 * i + 1];
	}
}

static void
copy(struct world *w, size_t i)
{
	memcpy(w->secondary[i].dynamic, w->primary.dynamic, sizeof(w->primary.dynamic));
	w->secondary[i].dynamic_count = w->primary.dynamic_count;
}

static void
present(struct world *w)
{
	world_open(w);
	world_present(w, 0, "www.example.org", "t0");
}

static void
withdraw_success(struct world *w)
{
	world_expect_success(w, 0);
	world_withdraw(w, 0);
	world_wait_idle(w);
	assert_int_equal(w->primary.dynamic_count, 0);
}

static void
test_lagging_secondary_is_waited_for(void **state)
{
	struct world *w = *state;

	with_secondaries(w, 2);
	present(w);
	world_run(w, 300);
	assert_int_equal(w->primary.dynamic_count, 1);
	assert_false(w->asks[0].told);
	copy(w, 1);
	world_run(w, 300);
	assert_false(w->asks[0].told);
	copy(w, 0);
	int64_t start = clock_mono_ms();
	withdraw_success(w);
	assert_true(clock_mono_ms() - start < 1500);
	assert_string_equal(w->warnings, "");
}

static void
test_secondary_that_never_serves(void **state)
{
	struct world *w = *state;

	with_secondaries(w, 2);
	present(w);
	world_run(w, 200);
	copy(w, 1);
	world_expect_error(w, 0, ERR_UPSTREAM,
	    "after 2 s the TXT record of "
	    "_acme-challenge.www.example.org is still missing at "
	    "ns2.example.org (127.0.0.2)");
	assert_null(strstr(w->asks[0].error.detail, "ns3"));
	world_wait_idle(w);
	assert_int_equal(w->primary.dynamic_count, 0);
}

static void
test_dead_secondary_is_passed_over(void **state)
{
	struct world *w = *state;

	with_secondaries(w, 2);
	model_stop(&w->secondary[0]);
	present(w);
	world_run(w, 100);
	copy(w, 1);
	withdraw_success(w);
	assert_non_null(strstr(w->warnings, "passed over"));
	assert_non_null(strstr(w->warnings, "ns2.example.org (127.0.0.2)"));
	assert_null(strstr(w->warnings, "ns3"));
}

static bool
silent(void *arg, struct model *m, const struct peer_query *q)
{
	return true;
}

static void
test_silent_secondary_is_passed_over(void **state)
{
	struct world *w = *state;

	with_secondaries(w, 1);
	w->secondary[0].hook = silent;
	present(w);
	withdraw_success(w);
	assert_non_null(strstr(w->warnings, "ns2.example.org (127.0.0.2): no answer in time"));
}

static bool
lame(void *arg, struct model *m, const struct peer_query *q)
{
	struct world *w = arg;

	peer_answer(
	    q, &(struct peer_answer){.rcode = w->script == 0 ? 5 : 0, .not_authoritative = true});
	return true;
}

static void
test_lame_secondary_is_passed_over(void **state)
{
	struct world *w = *state;

	with_secondaries(w, 1);
	w->secondary[0].hook = lame;
	for (w->script = 0; w->script < 2; w->script++) {
		w->warnings[0] = '\0';
		present(w);
		withdraw_success(w);
		assert_non_null(strstr(w->warnings, "ns2.example.org (127.0.0.2)"));
		assert_non_null(
		    strstr(w->warnings, w->script == 0 ? "REFUSED" : "not authoritative"));
		challenge_free(w->challenge);
		w->challenge = NULL;
	}
}

static void
test_name_server_without_address(void **state)
{
	struct world *w = *state;

	w->primary.records[2] = "example.org. NS ghost.example.org.";
	present(w);
	withdraw_success(w);
	assert_non_null(strstr(w->warnings, "without an address: ghost.example.org"));
}

/* All name servers are elsewhere and dead: the server that took the update vouches for it. */
static void
test_update_server_is_the_only_one(void **state)
{
	struct world *w = *state;

	w->primary.records[0] = "example.org. NS ns9.example.org.";
	w->primary.records[1] = "ns9.example.org. A 127.0.0.9";
	present(w);
	withdraw_success(w);
	assert_non_null(strstr(w->warnings, "ns9.example.org (127.0.0.9)"));
}

static void
test_no_ns_records(void **state)
{
	struct world *w = *state;

	w->primary.records[0] = NULL;
	present(w);
	withdraw_success(w);
	assert_non_null(strstr(w->warnings, "name servers of example.org cannot be found"));
}

static bool
serves_no_txt(void *arg, struct model *m, const struct peer_query *q)
{
	if (q->type != LDNS_RR_TYPE_TXT || q->message->opcode == LDNS_PACKET_UPDATE)
		return false;
	peer_answer(q, &(struct peer_answer){.rcode = 5, .not_authoritative = true});
	return true;
}

static void
test_nobody_can_be_asked(void **state)
{
	struct world *w = *state;

	w->primary.hook = serves_no_txt;
	present(w);
	world_expect_error(w, 0, ERR_UNREACHABLE,
	    "no authoritative server of example.org can be asked for the TXT record");
	world_wait_idle(w);
	assert_int_equal(w->primary.dynamic_count, 0);
}

static void
test_switched_off(void **state)
{
	struct world *w = *state;

	with_secondaries(w, 1);
	w->conf.dns01_update.propagation_check = false;
	present(w);
	withdraw_success(w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_lagging_secondary_is_waited_for),
	    TEST(test_secondary_that_never_serves),
	    TEST(test_dead_secondary_is_passed_over),
	    TEST(test_silent_secondary_is_passed_over),
	    TEST(test_lame_secondary_is_passed_over),
	    TEST(test_name_server_without_address),
	    TEST(test_update_server_is_the_only_one),
	    TEST(test_no_ns_records),
	    TEST(test_nobody_can_be_asked),
	    TEST(test_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
