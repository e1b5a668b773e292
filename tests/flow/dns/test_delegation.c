/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dns01-dnsUpdate: where the record belongs: CNAME and DNAME chains, zone cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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
records(struct world *w, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		w->primary.records[2 + i] = list[i];
}

#define RECORDS(w, ...)                                                                            \
	records(w, (const char *const[]){__VA_ARGS__},                                             \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Presents for www.example.org, expects the value at target, and withdraws it. */
static void
expect_at(struct world *w, const char *target)
{
	world_open(w);
	world_present(w, 0, "www.example.org", "t0");
	world_expect_success(w, 0);
	if (!model_has(&w->primary, target, w->asks[0].value))
		fail_msg("not at %s but at %s", target, w->primary.dynamic[0].name);
	assert_int_equal(w->primary.dynamic_count, 1);
	world_withdraw(w, 0);
	world_wait_idle(w);
	assert_int_equal(w->primary.dynamic_count, 0);
}

static void
expect_error(struct world *w, enum err_kind kind, const char *text)
{
	world_open(w);
	world_present(w, 0, "www.example.org", "t0");
	world_expect_error(w, 0, kind, text);
	world_wait_idle(w);
	assert_int_equal(w->primary.dynamic_count, 0);
}

static void
test_two_steps_into_another_zone(void **state)
{
	struct world *w = *state;

	w->primary.zones[1] = "acme.example.net";
	RECORDS(w, "_acme-challenge.www.example.org. CNAME hop.example.org.",
	    "hop.example.org. CNAME www.acme.example.net.",
	    "acme.example.net. NS ns1.example.org.");
	expect_at(w, "www.acme.example.net");
}

static void
test_dname(void **state)
{
	struct world *w = *state;

	w->primary.zones[1] = "new.example";
	RECORDS(w, "www.example.org. DNAME new.example.", "new.example. NS ns1.example.org.");
	expect_at(w, "_acme-challenge.new.example");
}

static void
test_loop(void **state)
{
	struct world *w = *state;

	RECORDS(w, "_acme-challenge.www.example.org. CNAME a.example.org.",
	    "a.example.org. CNAME b.example.org.", "b.example.org. CNAME a.example.org.");
	expect_error(w, ERR_CONFIG, "form a loop");
}

static void
test_chain_that_never_ends(void **state)
{
	static char links[20][80];
	const char *list[20];

	snprintf(links[0], 80, "_acme-challenge.www.example.org. CNAME c1.example.org.");
	for (int i = 1; i < 20; i++)
		snprintf(links[i], 80, "c%d.example.org. CNAME c%d.example.org.", i, i + 1);
	for (int i = 0; i < 20; i++)
		list[i] = links[i];
	records(*state, list, 20);
	expect_error(*state, ERR_CONFIG, "longer than");
}

static void
test_not_followed(void **state)
{
	struct world *w = *state;

	RECORDS(w, "_acme-challenge.www.example.org. CNAME elsewhere.example.org.");
	w->conf.dns01_update.follow_cname = false;
	w->conf.dns01_update.propagation_check = false;
	expect_at(w, "_acme-challenge.www.example.org");
}

static bool
resolver_fails(void *arg, struct model *m, const struct peer_query *q)
{
	if (!LDNS_RD_WIRE(q->bytes))
		return false;
	peer_answer(q, &(struct peer_answer){.rcode = 2});
	return true;
}

static void
test_dns_server_answers_where_no_resolver_can(void **state)
{
	struct world *w = *state;

	w->primary.hook = resolver_fails;
	RECORDS(w, "_acme-challenge.www.example.org. CNAME hop.example.org.");
	expect_at(w, "hop.example.org");
}

/* ---- the zone ---- */

static void
test_deeper_zone(void **state)
{
	struct world *w = *state;

	w->primary.zones[1] = "www.example.org";
	RECORDS(w, "www.example.org. NS ns1.example.org.");
	expect_at(w, "_acme-challenge.www.example.org");
}

static void
test_configured_zone(void **state)
{
	struct world *w = *state;

	w->conf.dns01_update.zone = "example.org";
	expect_at(w, "_acme-challenge.www.example.org");
}

static void
test_outside_the_configured_zone(void **state)
{
	struct world *w = *state;

	w->conf.dns01_update.zone = "example.net";
	expect_error(w, ERR_CONFIG, "is not in the configured zone example.net");
}

static void
test_configured_zone_is_no_apex(void **state)
{
	struct world *w = *state;

	w->conf.dns01_update.zone = "www.example.org";
	expect_error(w, ERR_CONFIG, "in zone www.example.org: 127.0.0.1:");
	assert_non_null(strstr(w->asks[0].error.detail, "NOTAUTH"));
}

static bool
not_authoritative(void *arg, struct model *m, const struct peer_query *q)
{
	if (q->type != LDNS_RR_TYPE_SOA || q->message->opcode == LDNS_PACKET_UPDATE)
		return false;
	peer_answer(q,
	    &(struct peer_answer){.not_authoritative = true,
		.authority = {"www.example.org. NS ns.elsewhere.example."}});
	return true;
}

static void
test_server_of_the_parent_only(void **state)
{
	struct world *w = *state;

	w->primary.hook = not_authoritative;
	expect_error(w, ERR_CONFIG, "refers to ns.elsewhere.example for www.example.org");
	assert_int_equal(w->primary.adds, 0);
}

static bool
hides_soa(void *arg, struct model *m, const struct peer_query *q)
{
	struct world *w = arg;

	if (q->type != LDNS_RR_TYPE_SOA || q->message->opcode == LDNS_PACKET_UPDATE)
		return false;
	if (w->script == 0)
		peer_answer(q, &(struct peer_answer){.rcode = 5, .not_authoritative = true});
	return true;
}

static void
test_refused_or_silent_look_up_is_guessed(void **state)
{
	struct world *w = *state;

	for (w->script = 0; w->script < 2; w->script++) {
		w->primary.hook = hides_soa;
		world_open(w);
		world_present(w, 0, "www.example.org", "t0");
		world_expect_success(w, 0);
		assert_true(
		    model_has(&w->primary, "_acme-challenge.www.example.org", w->asks[0].value));
		assert_non_null(strstr(w->warnings, "taking example.org"));
		world_withdraw(w, 0);
		world_wait_idle(w);
		challenge_free(w->challenge);
		w->challenge = NULL;
	}
}

/* The sub-zone is on the second server: the first one only refers to it. */
static bool
refers(void *arg, struct model *m, const struct peer_query *q)
{
	if (!dns_name_within(q->name, "www.example.org"))
		return false;
	peer_answer(q,
	    &(struct peer_answer){
		.not_authoritative = true, .authority = {"www.example.org. NS ns2.example.org."}});
	return true;
}

static void
test_delegated_to_another_server(void **state)
{
	struct world *w = *state;

	world_secondary(w, 0);
	w->primary.hook = refers;
	w->secondary[0].zones[0] = "www.example.org";
	w->secondary[0].records[0] = "www.example.org. NS ns2.www.example.org.";
	w->secondary[0].records[1] = "ns2.www.example.org. A 127.0.0.2";
	w->conf.dns01_update.resolvers = &w->servers[1];
	world_open(w);
	world_present(w, 0, "www.example.org", "t0");
	world_expect_success(w, 0);
	assert_int_equal(w->primary.adds, 0);
	assert_int_equal(w->secondary[0].dynamic_count, 1);
	world_withdraw(w, 0);
	world_wait_idle(w);
	assert_int_equal(w->secondary[0].dynamic_count, 0);
	assert_int_equal(w->primary.deletes, 0);
}

static void
test_name_that_gets_too_long(void **state)
{
	struct world *w = *state;
	char name[254];

	for (size_t i = 0; i < 253; i++)
		name[i] = i % 50 == 49 ? '.' : 'x';
	name[253] = '\0';
	world_open(w);
	world_present(w, 0, name, "t0");
	world_expect_error(w, 0, ERR_VALIDATION, "too long");
	world_wait_idle(w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_two_steps_into_another_zone),
	    TEST(test_dname),
	    TEST(test_loop),
	    TEST(test_chain_that_never_ends),
	    TEST(test_not_followed),
	    TEST(test_dns_server_answers_where_no_resolver_can),
	    TEST(test_deeper_zone),
	    TEST(test_configured_zone),
	    TEST(test_outside_the_configured_zone),
	    TEST(test_configured_zone_is_no_apex),
	    TEST(test_server_of_the_parent_only),
	    TEST(test_refused_or_silent_look_up_is_guessed),
	    TEST(test_delegated_to_another_server),
	    TEST(test_name_that_gets_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
