/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders that fail, requests that are refused, and what is remembered of it. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/key.h"
#include "fake_cert.h"

/* ---- kinds ---- */

static void
test_every_kind_for_every_waiter(void **state)
{
	static const enum err_kind kinds[] = {ERR_FORBIDDEN, ERR_BAD_CSR, ERR_VALIDATION,
	    ERR_RATE_LIMITED, ERR_INTERNAL, ERR_CONFIG, ERR_ACCOUNT, ERR_UNREACHABLE, ERR_UPSTREAM,
	    ERR_TIMEOUT};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char names[32], text[64];
		struct client c[3] = {0};

		snprintf(names, sizeof(names), "n%zu.example", i);
		snprintf(text, sizeof(text), "%s: the CA says number %zu", names, i);
		struct body b = body_make(names);
		for (int k = 0; k < 3; k++)
			post(w, &c[k], &b);
		fake_order_fail(fake_order_at(0), kinds[i], text, 77);
		settle(w);
		for (int k = 0; k < 3; k++) {
			expect_error(&c[k], kinds[i]);
			assert_non_null(strstr(c[k].error.detail, text));
			assert_int_equal(c[k].error.retry_after, 77);
			client_done(&c[k]);
		}
		assert_int_equal(logged(w, text), 1);
		assert_int_equal(logged(w, "again"), 0); /* that is for clients */
		body_done(&b);
	}
}

static void
test_the_domain_is_named(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.example,*.b.example");
	struct client c = {0};

	post(w, &c, &b);
	fake_order_fail(fake_order_at(0), ERR_FORBIDDEN, "the CA: not on our list", 0);
	settle(w);
	expect_error(&c, ERR_FORBIDDEN);
	assert_non_null(strstr(c.error.detail, "*.b.example"));
	assert_non_null(strstr(c.error.detail, "the CA: not on our list"));
	desk_forget_failures(w->desk);
	post(w, &c, &b);
	fake_order_fail(fake_order_at(0), ERR_FORBIDDEN, "b.example is not on our list", 0);
	settle(w);
	assert_string_equal(c.error.detail, "b.example is not on our list");
	/* Each failure once, with who. */
	assert_int_equal(logged(w, "b.example is not on our list peer=192.0.2.1"), 1);
	client_done(&c);
	body_done(&b);
}

static void
test_what_the_ca_issues_is_checked(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.kept");
	struct client c = {0};

	fake_acme.flags = FAKE_CHAIN_OTHER_KEY;
	post(w, &c, &b);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_error(&c, ERR_UPSTREAM);
	assert_int_equal(w->kept.puts, 0);
	/* And no name is to blame. */
	fake_acme.flags = 0;
	issue(w, &c, &b);
	client_done(&c);
	body_done(&b);
}

static void
test_certificate_of_tomorrow(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};

	fake_acme.clock_step = -2 * 3600; /* our clock is late */
	issue(w, &c, &b);
	assert_int_equal(logged(w, "clock"), 1);
	client_done(&c);
	body_done(&b);
}

/* ---- memory ---- */

static void
test_failed_name_is_remembered(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example"), same = body_make("www.example");
	struct body other = body_make("www.example,b.example");
	struct client c = {0};

	post(w, &c, &b);
	fake_order_fail(fake_order_at(0), ERR_VALIDATION, "www.example: no such host", 0);
	settle(w);
	for (int i = 0; i < 10; i++) {
		post(w, &c, i % 2 == 0 ? &b : &same);
		expect_error(&c, ERR_VALIDATION);
		assert_string_equal(c.error.detail, "www.example: no such host");
		assert_in_range(c.error.retry_after, 1, 60);
		pass(w, 5 * SECOND);
	}
	assert_int_equal(fake_acme.started, 1);
	assert_int_equal(logged(w, "no such host"), 1);
	/* Another set of names is another matter. */
	post(w, &c, &other);
	assert_int_equal(fake_acme.started, 2);
	fake_order_issue(fake_order_at(0));
	settle(w);

	/* One minute, then two. */
	pass(w, 11 * SECOND);
	post(w, &c, &b);
	assert_int_equal(fake_acme.started, 3);
	fake_order_fail(fake_order_at(0), ERR_VALIDATION, "www.example: no such host", 0);
	pass(w, 119 * SECOND);
	post(w, &c, &b);
	expect_error(&c, ERR_VALIDATION);
	pass(w, 2 * SECOND);
	post(w, &c, &b);
	assert_int_equal(fake_acme.started, 4);
	/* Success ends it. */
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&c);
	post(w, &c, &b);
	assert_int_equal(fake_acme.started, 5);
	fake_order_fail(fake_order_at(0), ERR_VALIDATION, "www.example: again", 0);
	settle(w);
	post(w, &c, &b);
	assert_in_range(c.error.retry_after, 1, 60);
	client_done(&c);
	body_done(&b);
	body_done(&same);
	body_done(&other);
}

static void
test_sighup_forgets(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};

	post(w, &c, &b);
	fake_order_fail(fake_order_at(0), ERR_FORBIDDEN, "www.example: on a list", 0);
	settle(w);
	post(w, &c, &b);
	expect_error(&c, ERR_FORBIDDEN);
	desk_forget_failures(w->desk);
	issue(w, &c, &b);
	client_done(&c);
	body_done(&b);
}

static void
test_retry_after_is_a_floor(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};

	post(w, &c, &b);
	fake_order_fail(fake_order_at(0), ERR_VALIDATION, "www.example: later", 1000);
	pass(w, 990 * SECOND);
	post(w, &c, &b);
	expect_error(&c, ERR_VALIDATION);
	assert_int_equal(c.error.retry_after, 10);
	client_done(&c);
	body_done(&b);
}

static void
test_bad_csr_blocks_only_itself(void **state)
{
	struct world *w = *state;
	struct body bad = body_make("www.example"), good = body_make("www.example");
	struct client c = {0};

	post(w, &c, &bad);
	fake_order_fail(fake_order_at(0), ERR_BAD_CSR, "the CA: weak key", 0);
	settle(w);
	post(w, &c, &bad);
	expect_error(&c, ERR_BAD_CSR);
	assert_int_equal(fake_acme.started, 1);
	issue(w, &c, &good);
	post(w, &c, &bad);
	expect_error(&c, ERR_BAD_CSR);
	pass(w, 61 * SECOND);
	issue(w, &c, &bad);
	client_done(&c);
	body_done(&bad);
	body_done(&good);
}

/* newOrder knows the names only: another key makes no difference. */
static void
test_refused_names_block_every_key(void **state)
{
	struct world *w = *state;
	struct body a = body_make("www.example"), b = body_make("www.example");
	struct client c = {0};
	struct err e;

	post(w, &c, &a);
	err_set(&e, ERR_BAD_CSR, "the CA: malformed");
	e.of_names = true;
	fake_order_fail_with(fake_order_at(0), &e);
	settle(w);
	post(w, &c, &b);
	expect_error(&c, ERR_BAD_CSR);
	assert_string_equal(c.error.detail, "Refused for www.example: the CA: malformed");
	post(w, &c, &a);
	expect_error(&c, ERR_BAD_CSR);
	assert_int_equal(fake_acme.started, 1);
	pass(w, 61 * SECOND);
	issue(w, &c, &b);
	issue(w, &c, &a);
	client_done(&c);
	body_done(&a);
	body_done(&b);
}

static void
expect_limited(struct world *w, struct client *c, const struct body *b, int64_t most)
{
	post(w, c, b);
	expect_error(c, ERR_RATE_LIMITED);
	assert_memory_equal(
	    c->error.detail, "Refused for www.example: too many; post the same CSR again in ", 62);
	assert_in_range(c->error.retry_after, 1, most);
}

/* The CA is not asked again before its limit ends, as it says or, if it does not, as for others. */
static void
test_rate_limit_is_remembered(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};

	post(w, &c, &b);
	fake_order_fail(fake_order_at(0), ERR_RATE_LIMITED, "too many", 5);
	settle(w);
	expect_limited(w, &c, &b, 5);
	pass(w, 6 * SECOND);
	post(w, &c, &b);
	assert_int_equal(fake_acme.started, 2);
	fake_order_fail(fake_order_at(0), ERR_RATE_LIMITED, "too many", 0);
	pass(w, 55 * SECOND);
	expect_limited(w, &c, &b, 100);
	pass(w, 120 * SECOND);
	post(w, &c, &b);
	assert_int_equal(fake_acme.started, 3);
	fake_order_fail(fake_order_at(0), ERR_RATE_LIMITED, "too many", 3 * 3600);
	pass(w, 2 * 3600 * SECOND);
	expect_limited(w, &c, &b, 3600);
	assert_int_equal(fake_acme.started, 3);
	client_done(&c);
	body_done(&b);
}

static void
test_faults_of_the_ca_are_not_remembered(void **state)
{
	static const enum err_kind kinds[] = {
	    ERR_INTERNAL, ERR_ACCOUNT, ERR_UNREACHABLE, ERR_UPSTREAM, ERR_TIMEOUT};
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		post(w, &c, &b);
		assert_int_equal(fake_acme.started, i + 1);
		fake_order_fail(fake_order_at(0), kinds[i], "no", 0);
		settle(w);
		expect_error(&c, kinds[i]);
	}
	client_done(&c);
	body_done(&b);
}

static void
test_ca_not_ready(void **state)
{
	struct world *w = *state;
	struct body a = body_make("www.example"), b = body_make("www.example");
	struct client c[2] = {0};

	post(w, &c[0], &a);
	post(w, &c[1], &b); /* waits for its turn */
	err_set(&fake_acme.not_ready, ERR_UNREACHABLE, "ca.test cannot be reached");
	fake_acme.not_ready.retry_after = 4;
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&c[0]);
	expect_error(&c[1], ERR_UNREACHABLE);
	post(w, &c[1], &b);
	expect_error(&c[1], ERR_UNREACHABLE);
	assert_int_equal(c[1].error.retry_after, 4);
	assert_string_equal(c[1].error.detail,
	    "No certificate for www.example: ca.test cannot be reached; post the same CSR again "
	    "in 4 s");
	assert_int_equal(fake_acme.started, 1);
	client_done(&c[0]);
	client_done(&c[1]);
	body_done(&a);
	body_done(&b);
}

/* What an event of the CA has told is not told again for each order that runs into it. */
static void
test_told_once(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};
	struct err e;

	err_set(&e, ERR_ACCOUNT, "the account is gone");
	e.told = true;
	post(w, &c, &b);
	fake_order_fail_with(fake_order_at(0), &e);
	settle(w);
	expect_error(&c, ERR_ACCOUNT);
	assert_non_null(strstr(c.error.detail, "the account is gone"));
	fake_acme.not_ready = e;
	post(w, &c, &b);
	expect_error(&c, ERR_ACCOUNT);
	assert_non_null(strstr(c.error.detail, "the account is gone"));
	assert_int_equal(logged(w, "the account is gone"), 0);
	assert_int_equal(logged(w, "info failed (account)"), 1);
	assert_int_equal(logged(w, "info not ordered (account"), 1);
	client_done(&c);
	body_done(&b);
}

/* ---- refused before any order ---- */

static void
expect_refused(struct world *w, const char *names, enum err_kind kind, const char *says)
{
	struct body b = body_make(names);
	struct client c = {0};

	post(w, &c, &b);
	expect_error(&c, kind);
	if (strstr(c.error.detail, says) == NULL)
		fail_msg("%s: %s", names, c.error.detail);
	assert_int_equal(logged(w, c.error.detail), 1);
	client_done(&c);
	body_done(&b);
}

static void
test_refused(void **state)
{
	struct world *w = *state;
	uint64_t before = desk_stats(w->desk)->requests;

	expect_refused(w, "www.nowhere", ERR_FORBIDDEN, "www.nowhere");
	expect_refused(w, "www.example,www.nowhere", ERR_FORBIDDEN, "www.nowhere");
	expect_refused(w, "*.plain", ERR_FORBIDDEN, "wildcard");
	expect_refused(w, "a.plain,192.0.2.9", ERR_FORBIDDEN, "IP address");
	assert_int_equal(fake_acme.started, 0);
	assert_int_equal(desk_stats(w->desk)->requests - before, 4);
}

static void
test_wildcard_and_address_where_they_can_be_proven(void **state)
{
	struct world *w = *state;
	struct body a = body_make("*.kept"), b = body_make("192.0.2.77");
	struct client c = {0};

	issue(w, &c, &a);
	issue(w, &c, &b);
	client_done(&c);
	body_done(&a);
	body_done(&b);
}

static void
test_no_csr(void **state)
{
	static const char *const texts[] = {"", "hello",
	    "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n"};
	struct world *w = *state;
	struct client c = {0};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct body b = {.text = strdup(texts[i])};

		post(w, &c, &b);
		expect_error(&c, ERR_BAD_CSR);
		body_done(&b);
	}
	client_done(&c);
}

static void
test_key_of_the_account(void **state)
{
	struct world *w = *state;
	struct body b = body_make("www.example");
	struct client c = {0};
	struct csr *csr = csr_parse(b.text, strlen(b.text), NULL);

	/* As if the account had this CSR's key. */
	memcpy((uint8_t *)key_spki_sha256(fake_acme.key), csr->spki_sha256, 32);
	for (int i = 0; i < 2; i++) {
		post(w, &c, &b);
		expect_error(&c, ERR_BAD_CSR);
	}
	assert_int_equal(fake_acme.started, 0);
	csr_free(csr);
	client_done(&c);
	body_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENARIO(test_every_kind_for_every_waiter),
	    SCENARIO(test_the_domain_is_named),
	    SCENARIO(test_what_the_ca_issues_is_checked),
	    SCENARIO(test_certificate_of_tomorrow),
	    SCENARIO(test_failed_name_is_remembered),
	    SCENARIO(test_sighup_forgets),
	    SCENARIO(test_retry_after_is_a_floor),
	    SCENARIO(test_bad_csr_blocks_only_itself),
	    SCENARIO(test_refused_names_block_every_key),
	    SCENARIO(test_rate_limit_is_remembered),
	    SCENARIO(test_faults_of_the_ca_are_not_remembered),
	    SCENARIO(test_ca_not_ready),
	    SCENARIO(test_told_once),
	    SCENARIO(test_refused),
	    SCENARIO(test_wildcard_and_address_where_they_can_be_proven),
	    SCENARIO(test_no_csr),
	    SCENARIO(test_key_of_the_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
