/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each decision is one line of the audit: who, for what, and by which rule not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/revoke.h"
#include "codec/digest.h"
#include "codec/json.h"
#include "codec/problem.h"
#include "fake_cert.h"
#include "world.h"

static int
lines(const struct world *w)
{
	return audited(w, "", "");
}

/* The newest line, as text of its own. */
static struct json *
newest(const struct world *w)
{
	static char line[65536];
	FILE *f = fopen(w->audit, "r");
	struct json *object;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		continue;
	fclose(f);
	object = json_parse(line, strlen(line), NULL);
	if (object == NULL)
		fail_msg("no JSON: %s", line);
	return object;
}

static void
expect_newest(const struct world *w, const char *decision, const char *member, const char *value)
{
	struct json *object = newest(w);
	const char *said = json_string(object, member);

	assert_string_equal(json_string(object, "decision"), decision);
	if (said == NULL || strcmp(said, value) != 0)
		fail_msg("%s is %s, not %s", member, said != NULL ? said : "missing", value);
	json_free(object);
}

/* ---- certificates ---- */

static void
issued_and_redelivered(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client first = {0}, second = {0};

	post(w, &first, &b);
	post_from(w, &second, &b, "192.0.2.9");
	settle(w);
	assert_int_equal(lines(w), 0);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&first);
	expect_pem(&second);
	assert_int_equal(lines(w), 2);
	assert_int_equal(audited(w, "\"issued\",\"peer\":\"192.0.2.1\"", "\"serial\":\""), 1);
	assert_int_equal(
	    audited(w, "\"redelivered\",\"peer\":\"192.0.2.9\"", "\"order\":\"o1\""), 1);
	post(w, &first, &b);
	assert_int_equal(lines(w), 3);
	expect_newest(w, "redelivered", "block", "kept");
	expect_newest(w, "redelivered", "names", "a.kept");
	/* And in the log. */
	assert_int_equal(logged(w, " audit issued peer="), 1);
	assert_int_equal(logged(w, " audit redelivered peer="), 2);
	client_done(&first);
	client_done(&second);
	body_done(&b);
}

static void
nobody_waits(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.example");
	struct client c = {0};

	post(w, &c, &b);
	op_cancel(&c.op);
	fake_order_issue(fake_order_at(0));
	settle(w);
	assert_int_equal(lines(w), 1);
	expect_newest(w, "issued", "peer", "192.0.2.1");
	/* What nobody took. */
	post(w, &c, &b);
	expect_pem(&c);
	assert_int_equal(lines(w), 2);
	expect_newest(w, "redelivered", "block", "all");
	client_done(&c);
	body_done(&b);
}

static void
due_and_better_than_none(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};

	fake_acme.days = 90;
	issue(w, &c, &b);
	fake_clock_jump(80 * 86400);
	err_set(&fake_acme.not_ready, ERR_UNREACHABLE, "the CA is down");
	post(w, &c, &b);
	expect_pem(&c);
	assert_true(c.renewal_failed[0] != '\0');
	assert_int_equal(lines(w), 2);
	expect_newest(w, "redelivered", "block", "kept");
	assert_int_equal(audited(w, "\"redelivered\"", "\"serial\":\""), 1);
	client_done(&c);
	body_done(&b);
}

static void
all_names(void **state)
{
	struct world *w = *state;
	char names[2000] = "";

	for (int i = 0; i < 40; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names),
		    "%shost-with-a-long-name-%d.example", i > 0 ? "," : "", 10 + i);
	struct body b = body_make(names);
	struct client c = {0};

	issue(w, &c, &b);
	assert_int_equal(lines(w), 1);
	assert_int_equal(audited(w, "host-with-a-long-name-10.example", "name-49.example\"}"), 1);
	/* The log is for people. */
	assert_int_equal(logged(w, "name-49.example"), 0);
	client_done(&c);
	body_done(&b);
}

/* ---- refusals ---- */

static void
refused_by_rule(void **state)
{
	struct world *w = *state;
	struct body other = body_make("a.test"), wild = body_make("*.plain"),
		    good = body_make("a.kept");
	struct body bad = {.text = strdup("no \"CSR\"\n\x1b[0m")};
	struct client c = {0};

	post(w, &c, &other);
	expect_error(&c, ERR_FORBIDDEN);
	expect_newest(w, "refused", "rule", "auth");
	expect_newest(w, "refused", "names", "a.test");
	post(w, &c, &bad);
	expect_error(&c, ERR_BAD_CSR);
	expect_newest(w, "refused", "rule", "csr");
	post(w, &c, &wild);
	expect_error(&c, ERR_FORBIDDEN);
	expect_newest(w, "refused", "rule", "verification");
	expect_newest(w, "refused", "block", "plain");
	assert_int_equal(lines(w), 3);

	/* The CA's word, and what is remembered of it. */
	struct err e;
	post(w, &c, &good);
	err_set(&e, ERR_FORBIDDEN, "not \"this\" one");
	e.problem = PROBLEM_REJECTED_IDENTIFIER;
	fake_order_fail_with(fake_order_at(0), &e);
	settle(w);
	expect_error(&c, ERR_FORBIDDEN);
	assert_int_equal(lines(w), 4);
	expect_newest(w, "refused", "rule", "ca:rejectedIdentifier");
	expect_newest(w, "refused", "detail", "not \"this\" one");
	post(w, &c, &good);
	expect_error(&c, ERR_FORBIDDEN);
	assert_int_equal(lines(w), 5);
	expect_newest(w, "refused", "rule", "remembered");
	client_done(&c);
	body_done(&other);
	body_done(&wild);
	body_done(&good);
	body_done(&bad);
}

/* Nobody has decided anything. */
static void
failures_are_no_decisions(void **state)
{
	static const enum err_kind kinds[] = {ERR_UNREACHABLE, ERR_UPSTREAM, ERR_ACCOUNT,
	    ERR_INTERNAL, ERR_CONFIG, ERR_BUSY, ERR_TIMEOUT};
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		post(w, &c, &b);
		fake_order_fail(fake_order_at(0), kinds[i], "no", 0);
		settle(w);
		expect_error(&c, kinds[i]);
	}
	post(w, &c, &b);
	pass(w, TIMEOUT_MS);
	expect_error(&c, ERR_TIMEOUT);
	assert_int_equal(lines(w), 0);
	client_done(&c);
	body_done(&b);
}

/* ---- revocations ---- */

struct revoker {
	struct op *op;
	int answers;
};

static void
on_revoked(void *arg, const struct revoke_result *result, const struct err *e)
{
	((struct revoker *)arg)->answers++;
}

static void
ask(struct world *w, const char *pem, enum revoke_reason reason, const char *key)
{
	struct client_identity who = {.text = "192.0.2.5 via 10.0.0.1"};
	struct authentication auth = {.kind = DIGEST_SHA256};
	struct revoke_request request = {
	    .who = &who, .auth = &auth, .body = pem, .body_len = strlen(pem), .reason = reason};
	struct revoker v = {0};

	digest_hmac(DIGEST_SHA256, key, strlen(key), pem, strlen(pem), auth.hash);
	desk_revoke(w->desk, &request, on_revoked, &v, &v.op);
	settle(w);
	if (fake_acme.revoking)
		fake_revoke_end(false, NULL);
	settle(w);
	assert_int_equal(v.answers, 1);
}

static void
revocations(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};

	issue(w, &c, &b);
	char *pem = strdup(c.pem);
	ask(w, pem, REVOKE_SUPERSEDED, "another key");
	expect_newest(w, "revocation refused", "rule", "auth");
	expect_newest(w, "revocation refused", "names", "a.kept");
	ask(w, "no certificate", REVOKE_SUPERSEDED, REVOKE_KEY);
	expect_newest(w, "revocation refused", "rule", "certificate");
	assert_int_equal(lines(w), 3);
	ask(w, pem, REVOKE_KEY_COMPROMISE, REVOKE_KEY);
	assert_int_equal(lines(w), 5);
	assert_int_equal(audited(w, "\"key barred\"", "\"serial\":\""), 1);
	expect_newest(w, "revoked", "detail", "reason 1");
	expect_newest(w, "revoked", "key", "1 of 1");
	expect_newest(w, "revoked", "block", "revokers");
	expect_newest(w, "revoked", "peer", "192.0.2.5 via 10.0.0.1");
	post(w, &c, &b);
	expect_error(&c, ERR_BAD_CSR);
	expect_newest(w, "refused", "rule", "key");
	free(pem);
	client_done(&c);
	body_done(&b);
}

/* A job that is ended so has not been refused by the CA. */
static void
barred_on_the_way(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0}, d = {0};

	issue(w, &c, &b);
	fake_store_set_directory(&w->kept, b.key, "https://other.test/");
	post(w, &d, &b);
	ask(w, c.pem, REVOKE_KEY_COMPROMISE, REVOKE_KEY);
	expect_error(&d, ERR_BAD_CSR);
	assert_int_equal(audited(w, "\"refused\"", "\"rule\":\"key\""), 1);
	client_done(&c);
	client_done(&d);
	body_done(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    SCENARIO(issued_and_redelivered),
	    SCENARIO(nobody_waits),
	    SCENARIO(due_and_better_than_none),
	    SCENARIO(all_names),
	    SCENARIO(refused_by_rule),
	    SCENARIO(failures_are_no_decisions),
	    SCENARIO(revocations),
	    SCENARIO(barred_on_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
