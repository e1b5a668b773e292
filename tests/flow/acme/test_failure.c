/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders that fail, or nearly do. */
#include <stdio.h>
#include <string.h>

#include "ev/op.h"
#include "world.h"

/* ---- validations ---- */

static void
validation_fails(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.fail = ",a.test,";
	world_ready(&w);
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 5 * 1000));
	assert_failed(&r, ERR_VALIDATION,
	    "Validation failed for a.test: no connection to a.test (connection)");
	order_done(&r);
	world_close(&w);
}

static void
unauthorized_is_a_validation(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.fail = ",a.test,";
	w.fake.fail_type = "unauthorized";
	world_ready(&w);
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 5 * 1000));
	assert_failed(&r, ERR_VALIDATION, "(unauthorized)");
	assert_int_equal(w.fake.count[FAKE_NEW_ORDER], 1);
	order_done(&r);
	world_close(&w);
}

static void
caa_and_rejected(void **state)
{
	static const struct {
		const char *type;
		enum err_kind kind;
	} rows[] = {
	    {"caa", ERR_VALIDATION},
	    {"dns", ERR_VALIDATION},
	    {"tls", ERR_VALIDATION},
	    {"incorrectResponse", ERR_VALIDATION},
	    {"malformed", ERR_VALIDATION},
	    {"somethingNew", ERR_VALIDATION},
	    {"rejectedIdentifier", ERR_FORBIDDEN},
	    {"rateLimited", ERR_RATE_LIMITED},
	    {"serverInternal", ERR_UPSTREAM},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;
		struct result r;

		world_open(&w);
		w.fake.fail = ",a.test,";
		w.fake.fail_type = rows[i].type;
		world_ready(&w);
		order_start(&w, &r, "a.test");
		assert_true(order_wait(&w, &r, 5 * 1000));
		assert_failed(&r, rows[i].kind, "Validation failed for a.test");
		order_done(&r);
		world_close(&w);
	}
}

/* All those that fail within a moment are named. */
static void
several_fail(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.fail = ",a.test,c.test,";
	w.fake.delay_ms = 30;
	world_ready(&w);
	order_start(&w, &r, "a.test,b.test,c.test");
	assert_true(order_wait(&w, &r, 5 * 1000));
	assert_failed(&r, ERR_VALIDATION, "Validation failed for a.test");
	assert_failed(&r, ERR_VALIDATION, "Validation failed for c.test");
	assert_null(strstr(r.e.detail, "b.test"));
	order_done(&r);
	world_close(&w);
}

static bool
no_more_of_b(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_AUTHORIZATION || ca->count[FAKE_AUTHORIZATION] != 2)
		return false;
	fake_http_status(reply, 200,
	    "{\"status\":\"invalid\",\"challenges\":[],"
	    "\"identifier\":{\"type\":\"dns\",\"value\":\"b.test\"}}");
	reply->delay_ms = 500;
	return true;
}

/* One fails while the others wait to be told: they are withdrawn at once, and the CA is not told.
 */
static void
fails_before_the_others_are_told(void **state)
{
	for (int settle = 0; settle < 2; settle++) {
		struct world w;
		struct result r;

		world_open(&w);
		w.fake.before = no_more_of_b;
		w.solver.delay_ms = settle > 0 ? 600 : 0;
		world_ready(&w);
		order_start(&w, &r, "a.test,b.test,c.test");
		assert_true(order_wait(&w, &r, 700));
		assert_failed(&r, ERR_VALIDATION, "b.test");
		assert_int_equal(w.solver.presented, 2);
		assert_int_equal(w.fake.count[FAKE_CHALLENGE], 0);
		assert_int_equal(strstr(r.states, "settle") != NULL, settle);
		order_done(&r);
		world_close(&w);
	}
}

/* The order's time ends while they wait for one that is never there. */
static void
one_is_never_presented(void **state)
{
	struct world w;
	struct result r;

	world_open_at(&w, "https://ca.test", "dns-01");
	w.solver.delay_more_ms = 3600 * 1000;
	world_ready(&w);
	order_start(&w, &r, "a.test,*.a.test");
	assert_true(order_wait(&w, &r, 601 * 1000));
	assert_failed(&r, ERR_TIMEOUT, "time");
	assert_int_equal(w.solver.presented, 1);
	assert_int_equal(w.solver.cancelled, 1);
	assert_int_equal(w.fake.count[FAKE_CHALLENGE], 0);
	order_done(&r);
	world_close(&w);
}

static void
hundred_fail(void **state)
{
	char names[2000] = "";
	char fail[2000] = ",";
	struct world w;
	struct result r;

	for (int i = 0; i < 100; i++) {
		sprintf(names + strlen(names), "%sn%02d.test", i > 0 ? "," : "", i);
		sprintf(fail + strlen(fail), "n%02d.test,", i);
	}
	world_open(&w);
	w.fake.fail = fail;
	world_ready(&w);
	order_start(&w, &r, names);
	assert_true(order_wait(&w, &r, 10 * 1000));
	assert_failed(&r, ERR_VALIDATION, "n00.test");
	assert_true(strlen(r.e.detail) < ERR_DETAIL_MAX);
	order_done(&r);
	world_close(&w);
}

static void
slow_b(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	bool b = reply->body != NULL && strstr(reply->body, "b.test") != NULL;

	if (step == FAKE_AUTHORIZATION && b && ca->count[FAKE_CHALLENGE] > 0)
		reply->delay_ms = 10 * 1000;
}

/* The others have not come to an end when one fails: they get a moment, then they are withdrawn. */
static void
others_are_withdrawn(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.fail = ",a.test,";
	w.fake.after = slow_b;
	world_ready(&w);
	order_start(&w, &r, "a.test,b.test");
	assert_true(order_wait(&w, &r, 3 * 1000));
	assert_failed(&r, ERR_VALIDATION, "a.test");
	assert_non_null(strstr(r.states, "settle"));
	assert_int_equal(w.solver.presented, 2);
	order_done(&r);
	world_close(&w);
}

/* The CA gives up on the challenge but leaves the authorization pending for ever. */
static void
challenge_invalid_alone(void **state)
{
	for (int in_post = 0; in_post < 2; in_post++) {
		struct world w;
		struct result r;

		world_open(&w);
		w.fake.fail = ",a.test,";
		w.fake.challenge_only = true;
		w.fake.validate_in_post = in_post;
		world_ready(&w);
		order_start(&w, &r, "a.test");
		assert_true(order_wait(&w, &r, 5 * 1000));
		assert_failed(&r, ERR_VALIDATION, "Validation failed for a.test");
		order_done(&r);
		world_close(&w);
	}
}

/* Nothing but errors until the time is over: the CA's words, not "timeout". */
static void
retries_until_the_end(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.fail = ",a.test,";
	w.fake.challenge_retries = true;
	world_ready(&w);
	order_start_with(&w, &r, "a.test", 0, NULL, 30 * 1000);
	order_wait(&w, &r, 5 * 1000);
	assert_false(r.done);
	assert_true(r.troubles > 0);
	assert_int_equal(r.trouble.kind, ERR_VALIDATION);
	assert_true(order_wait(&w, &r, 26 * 1000));
	assert_failed(&r, ERR_VALIDATION, "no connection to a.test");
	order_done(&r);
	world_close(&w);
}

static void
mended_in_time(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.fail = ",a.test,";
	w.fake.challenge_retries = true;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 3 * 1000);
	assert_int_equal(r.trouble.kind, ERR_VALIDATION);
	w.fake.fail = NULL;
	assert_true(order_wait(&w, &r, 20 * 1000));
	assert_issued(&r);
	assert_int_equal(r.trouble.kind, ERR_NONE);
	order_done(&r);
	world_close(&w);
}

static void
no_challenge_of_ours(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	world_ready(&w);
	order_start(&w, &r, "*.a.test");
	assert_true(order_wait(&w, &r, 5 * 1000));
	assert_failed(&r, ERR_FORBIDDEN, "no http-01 challenge for *.a.test; it offers: dns-01");
	order_done(&r);
	world_close(&w);
}

static bool
other_name(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_AUTHORIZATION)
		return false;
	fake_http_status(reply, 200,
	    "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"evil.test\"},"
	    "\"challenges\":[{\"type\":\"http-01\",\"status\":\"pending\",\"token\":\"x\","
	    "\"url\":\"https://ca.test/challenge/1/http-01\"}]}");
	return true;
}

/* Nothing is presented for a name nobody asked for. */
static void
name_not_asked_for(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.before = other_name;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 5 * 1000));
	assert_failed(&r, ERR_UPSTREAM, "evil.test");
	assert_int_equal(w.solver.presented, 0);
	order_done(&r);
	world_close(&w);
}

static void
present_fails(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	err_set(&w.solver.fail, ERR_UNREACHABLE, "name server 192.0.2.53 is silent");
	world_ready(&w);
	order_start(&w, &r, "a.test,b.test");
	assert_true(order_wait(&w, &r, 5 * 1000));
	assert_failed(&r, ERR_UNREACHABLE, "192.0.2.53");
	order_done(&r);
	world_close(&w);
}

static void
present_never_ends(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.solver.delay_ms = 1000 * 1000;
	world_ready(&w);
	order_start_with(&w, &r, "a.test", 0, NULL, 20 * 1000);
	assert_true(order_wait(&w, &r, 21 * 1000));
	assert_failed(&r, ERR_TIMEOUT, "");
	assert_int_equal(w.solver.cancelled, 1);
	order_done(&r);
	world_close(&w);
}

/* ---- what the CA refuses ---- */

struct refusal {
	enum fake_step step;
	int status;
	const char *type;
	enum err_kind kind;
	const char *text;
};

static bool
refuse(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	const struct refusal *row = ca->arg;

	if (step != row->step)
		return false;
	fake_ca_problem(reply, row->status, row->type, "because");
	fake_http_header(reply, "Replay-Nonce", "nonce-%u", 0u);
	reply->header_count--;
	return true;
}

static void
refusals(void **state)
{
	static const struct refusal rows[] = {
	    {FAKE_NEW_ORDER, 400, "rejectedIdentifier", ERR_FORBIDDEN,
		"new order: ca.test: because"},
	    {FAKE_NEW_ORDER, 400, "unsupportedIdentifier", ERR_FORBIDDEN, "because"},
	    {FAKE_NEW_ORDER, 400, "malformed", ERR_BAD_CSR, "because (malformed)"},
	    {FAKE_NEW_ORDER, 429, "rateLimited", ERR_RATE_LIMITED, "because (rateLimited)"},
	    {FAKE_NEW_ORDER, 403, "userActionRequired", ERR_ACCOUNT, "because"},
	    {FAKE_NEW_ORDER, 403, "unauthorized", ERR_ACCOUNT, "because"},
	    {FAKE_NEW_ORDER, 500, "serverInternal", ERR_UPSTREAM, "because"},
	    {FAKE_NEW_ORDER, 400, "invalidProfile", ERR_CONFIG, "because"},
	    {FAKE_NEW_ORDER, 403, "caa", ERR_VALIDATION, "because"},
	    {FAKE_NEW_ORDER, 418, "teapot", ERR_UPSTREAM, "because"},
	    {FAKE_FINALIZE, 400, "badCSR", ERR_BAD_CSR, "finalize: ca.test: because (badCSR)"},
	    {FAKE_FINALIZE, 400, "badPublicKey", ERR_BAD_CSR, "because"},
	    {FAKE_FINALIZE, 403, "unauthorized", ERR_BAD_CSR, "because"},
	    {FAKE_FINALIZE, 403, "caa", ERR_VALIDATION, "because"},
	    {FAKE_FINALIZE, 429, "rateLimited", ERR_RATE_LIMITED, "because"},
	    {FAKE_CHALLENGE, 500, "serverInternal", ERR_UPSTREAM, "challenge: ca.test: because"},
	    {FAKE_CERTIFICATE, 404, "malformed", ERR_UPSTREAM, "certificate: ca.test: because"},
	    {FAKE_AUTHORIZATION, 403, "unauthorized", ERR_ACCOUNT, "because"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;
		struct result r;

		world_open(&w);
		w.fake.before = refuse;
		w.fake.arg = (void *)&rows[i];
		world_ready(&w);
		order_start(&w, &r, "a.test");
		assert_true(order_wait(&w, &r, 60 * 1000));
		assert_failed(&r, rows[i].kind, rows[i].text);
		order_done(&r);
		world_close(&w);
	}
}

/* Pebble counts only subject alternative names. */
static void
name_in_cn_only(void **state)
{
	static const struct refusal row = {FAKE_FINALIZE, 403, "unauthorized", 0, ""};
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.before = refuse;
	w.fake.arg = (void *)&row;
	world_ready(&w);
	order_start_with(&w, &r, "a.test", FAKE_CSR_CN_ONLY, NULL, 60 * 1000);
	assert_true(order_wait(&w, &r, 60 * 1000));
	assert_failed(&r, ERR_BAD_CSR, "subjectAltName");
	order_done(&r);
	world_close(&w);
}

static bool
with_subproblems(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_NEW_ORDER)
		return false;
	fake_http_status(reply, 403,
	    "{\"type\":\"urn:ietf:params:acme:error:malformed\",\"detail\":\"some names\","
	    "\"subproblems\":[{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"no\","
	    "\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"}},"
	    "{\"type\":\"urn:ietf:params:acme:error:rejectedIdentifier\",\"detail\":\"never\","
	    "\"identifier\":{\"type\":\"dns\",\"value\":\"b.test\"}}]}");
	return true;
}

static void
subproblems(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.before = with_subproblems;
	world_ready(&w);
	order_start(&w, &r, "a.test,b.test,c.test");
	assert_true(order_wait(&w, &r, 60 * 1000));
	assert_failed(&r, ERR_FORBIDDEN, "a.test: no (caa); b.test: never (rejectedIdentifier)");
	order_done(&r);
	world_close(&w);
}

/* ---- challenges posted twice, or refused ---- */

static bool
conflict(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_CHALLENGE)
		return false;
	fake_ca_problem(reply, ca->days == 1 ? 409 : 400, "malformed", "it is not pending");
	return true;
}

/* Refused, and the challenge is still as it was: then that is the answer. */
static void
refused_challenge(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.before = conflict;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 5 * 1000));
	assert_failed(&r, ERR_ACCOUNT, "it is not pending");
	order_done(&r);
	world_close(&w);
}

static void
conflict_after(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step == FAKE_CHALLENGE)
		fake_ca_problem(reply, 409, "malformed", "it is not pending");
}

/* Refused because it was told before: the authorization becomes valid. */
static void
told_before(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.after = conflict_after;
	w.fake.validation_ms = 2000;
	world_ready(&w);
	order_good(&w, "a.test");
	world_close(&w);
}

/* ---- orders and authorizations that end in other ways ---- */

struct ending {
	const char *status;
	const char *error; /* type, or NULL */
	enum err_kind kind;
	const char *text;
};

static bool
end_order(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	const struct ending *end = ca->arg;
	char body[600];

	if (step != FAKE_ORDER || ca->count[FAKE_FINALIZE] == 0)
		return false;
	snprintf(body, sizeof(body),
	    "{\"status\":\"%s\",\"authorizations\":[],\"finalize\":\"https://ca.test/finalize/"
	    "2\"%s%s%s}",
	    end->status,
	    end->error != NULL ? ",\"error\":{\"detail\":\"so it is\",\"type\":"
				 "\"urn:ietf:params:acme:error:"
			       : "",
	    end->error != NULL ? end->error : "", end->error != NULL ? "\"}" : "");
	fake_http_status(reply, 200, body);
	return true;
}

static void
order_invalid_after_finalize(void **state)
{
	static const struct ending rows[] = {
	    {"invalid", "caa", ERR_VALIDATION, "order: ca.test: so it is (caa)"},
	    {"invalid", "badCSR", ERR_BAD_CSR, "so it is"},
	    {"invalid", "rejectedIdentifier", ERR_FORBIDDEN, "so it is"},
	    {"invalid", "serverInternal", ERR_UPSTREAM, "so it is"},
	    {"invalid", "rateLimited", ERR_RATE_LIMITED, "so it is"},
	    {"invalid", NULL, ERR_UPSTREAM, "invalid and gives no reason"},
	    {"expired", NULL, ERR_UPSTREAM, "expired"},
	    {"sleeping", NULL, ERR_UPSTREAM, ""},
	    {"valid", NULL, ERR_UPSTREAM, "gave no URL"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;
		struct result r;

		world_open(&w);
		w.fake.before = end_order;
		w.fake.arg = (void *)&rows[i];
		world_ready(&w);
		order_start(&w, &r, "a.test");
		assert_true(order_wait(&w, &r, 60 * 1000));
		assert_failed(&r, rows[i].kind, rows[i].text);
		order_done(&r);
		world_close(&w);
	}
}

static bool
end_authorization(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	const struct ending *end = ca->arg;
	char body[600];

	if (step != FAKE_AUTHORIZATION)
		return false;
	snprintf(body, sizeof(body),
	    "{\"status\":\"%s\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.test\"},"
	    "\"challenges\":[{\"type\":\"dns-01\",\"status\":\"invalid\",\"token\":\"x\","
	    "\"url\":\"https://ca.test/challenge/1/dns-01\",\"error\":{\"type\":"
	    "\"urn:ietf:params:acme:error:dns\",\"detail\":\"of another challenge\"}}]}",
	    end->status);
	fake_http_status(reply, 200, body);
	return true;
}

/* In a reused order it may be so from the start. */
static void
authorization_ended(void **state)
{
	static const struct ending rows[] = {
	    {"invalid", NULL, ERR_VALIDATION,
		"Validation failed for a.test: of another challenge (dns)"},
	    {"deactivated", NULL, ERR_UPSTREAM, "a.test is deactivated"},
	    {"expired", NULL, ERR_UPSTREAM, "a.test is expired"},
	    {"revoked", NULL, ERR_UPSTREAM, "a.test is revoked"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;
		struct result r;

		world_open(&w);
		w.fake.before = end_authorization;
		w.fake.arg = (void *)&rows[i];
		world_ready(&w);
		order_start(&w, &r, "a.test");
		assert_true(order_wait(&w, &r, 60 * 1000));
		assert_failed(&r, rows[i].kind, rows[i].text);
		order_done(&r);
		world_close(&w);
	}
}

static void
no_location(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step == FAKE_NEW_ORDER)
		reply->header_count = 0;
}

static void
order_without_location(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.after = no_location;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 60 * 1000));
	assert_failed(&r, ERR_UPSTREAM, "gave no URL");
	order_done(&r);
	world_close(&w);
}

/* A machine that goes round and round dies, not the daemon. */
static void
never_ready(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.not_ready = 1000 * 1000;
	w.fake.expires_s = 1000 * 1000;
	world_ready(&w);
	order_start_with(&w, &r, "a.test", 0, NULL, 1000LL * 1000 * 1000);
	assert_true(order_wait(&w, &r, 1000LL * 1000 * 1000));
	assert_failed(&r, ERR_INTERNAL, "too many steps");
	assert_in_range(w.fake.count[FAKE_FINALIZE], 1000, 2000);
	order_done(&r);
	world_close(&w);
}

static void
lose_first_finalize(struct fake_ca *ca, enum fake_step step,
    const struct fake_http_request *request, struct fake_http_reply *reply)
{
	if (step == FAKE_FINALIZE && ca->count[FAKE_FINALIZE] == 1)
		reply->outcome = FAKE_HTTP_REFUSED;
}

/* The CA has issued, but we did not hear of it: the certificate is not lost. */
static void
finalize_without_answer(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.after = lose_first_finalize;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 60 * 1000));
	assert_issued(&r);
	assert_int_equal(w.fake.orders_made, 1);
	assert_int_equal(w.fake.count[FAKE_FINALIZE], 1);
	order_done(&r);
	world_close(&w);
}

static bool
refuse_first_finalize(struct fake_ca *ca, enum fake_step step,
    const struct fake_http_request *request, struct fake_http_reply *reply)
{
	lose_first_finalize(ca, step, request, reply);
	return step == FAKE_FINALIZE && ca->count[FAKE_FINALIZE] == 1;
}

/* It did not reach the CA: the same order is finalized again. */
static void
finalize_that_never_came(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.before = refuse_first_finalize;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 60 * 1000));
	assert_issued(&r);
	assert_int_equal(w.fake.orders_made, 1);
	assert_int_equal(w.fake.count[FAKE_FINALIZE], 2);
	order_done(&r);
	world_close(&w);
}

/* ---- time ---- */

static void
order_expires(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.expires_s = 20;
	w.fake.validation_ms = 1000 * 1000;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 21 * 1000));
	assert_failed(&r, ERR_TIMEOUT, "");
	order_done(&r);
	world_close(&w);
}

/* Our clock is wrong, or the CA's: no reason to give up. */
static void
expired_when_made(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.expires_s = -5000;
	world_ready(&w);
	order_good(&w, "a.test");
	world_close(&w);
}

static void
deadline_everywhere(void **state)
{
	for (int at = 0; at < FAKE_STEP_COUNT; at++) {
		for (int64_t ms = 10; ms < 2000; ms += 270) {
			struct world w;
			struct result r;

			world_open(&w);
			world_ready(&w);
			w.fake.delay_ms = 100 + at;
			w.fake.validation_ms = 300;
			order_start_with(&w, &r, "a.test,b.test", 0, NULL, ms);
			assert_true(order_wait(&w, &r, ms + 5));
			if (r.chain == NULL)
				assert_failed(&r, ERR_TIMEOUT, "");
			order_done(&r);
			world_close(&w);
		}
	}
}

/* ---- cancelled, from inside and outside ---- */

static void
cancelled_at_any_moment(void **state)
{
	for (int64_t ms = 0; ms < 3000; ms += 37) {
		struct world w;
		struct result r;

		world_open(&w);
		w.fake.delay_ms = 90;
		w.solver.delay_ms = 50;
		w.fake.validation_ms = 150;
		world_start(&w);
		order_start(&w, &r, "a.test,b.test");
		fake_clock_advance(w.loop, ms);
		order_done(&r);
		world_close(&w);
	}
}

struct suicide {
	struct op *op;
	int moves;
	int at;
};

static void
never(void *arg, struct chain *chain, const char *url, const struct err *e)
{
	struct suicide *s = arg;

	s->moves = -1;
	chain_free(chain);
}

static void
cancel_when_moved(void *arg, const char *state)
{
	struct suicide *s = arg;

	if (s->moves++ == s->at)
		op_cancel(&s->op);
}

static void
cancel_when_troubled(void *arg, const struct err *e)
{
	struct suicide *s = arg;

	s->moves = 1000;
	op_cancel(&s->op);
}

static void
cancelled_by_its_callbacks(void **state)
{
	for (int at = 0; at < 8; at++) {
		struct world w;
		struct suicide s = {.at = at};
		struct result r;
		struct acme_order_conf conf = {
		    .solver = &w.solver.solver,
		    .deadline = INT64_MAX / 2,
		    .moved = cancel_when_moved,
		    .challenge_error = cancel_when_troubled,
		};

		world_open(&w);
		world_ready(&w);
		if (at == 7) {
			w.fake.fail = ",a.test,";
			w.fake.challenge_retries = true;
		}
		order_start(&w, &r, "x.test,y.test,a.test");
		conf.csr = r.csr;
		op_cancel(&r.op);
		acme_order_start(w.ca, &conf, never, &s, &s.op);
		fake_clock_advance(w.loop, 60 * 1000);
		assert_null(s.op);
		assert_int_equal(s.moves, at == 7 ? 1000 : at + 1);
		order_done(&r);
		world_close(&w);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(validation_fails),
	    cmocka_unit_test(unauthorized_is_a_validation),
	    cmocka_unit_test(caa_and_rejected),
	    cmocka_unit_test(several_fail),
	    cmocka_unit_test(fails_before_the_others_are_told),
	    cmocka_unit_test(one_is_never_presented),
	    cmocka_unit_test(hundred_fail),
	    cmocka_unit_test(others_are_withdrawn),
	    cmocka_unit_test(challenge_invalid_alone),
	    cmocka_unit_test(retries_until_the_end),
	    cmocka_unit_test(mended_in_time),
	    cmocka_unit_test(no_challenge_of_ours),
	    cmocka_unit_test(name_not_asked_for),
	    cmocka_unit_test(present_fails),
	    cmocka_unit_test(present_never_ends),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(name_in_cn_only),
	    cmocka_unit_test(subproblems),
	    cmocka_unit_test(refused_challenge),
	    cmocka_unit_test(told_before),
	    cmocka_unit_test(order_invalid_after_finalize),
	    cmocka_unit_test(authorization_ended),
	    cmocka_unit_test(order_without_location),
	    cmocka_unit_test(never_ready),
	    cmocka_unit_test(finalize_without_answer),
	    cmocka_unit_test(finalize_that_never_came),
	    cmocka_unit_test(order_expires),
	    cmocka_unit_test(expired_when_made),
	    cmocka_unit_test(deadline_everywhere),
	    cmocka_unit_test(cancelled_at_any_moment),
	    cmocka_unit_test(cancelled_by_its_callbacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
