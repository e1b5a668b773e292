/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Revocation: by the account, by the certificate's own key, and what can go wrong on the way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/revoke.h"
#include "base/clock.h"
#include "codec/key.h"
#include "ev/op.h"
#include "world.h"

struct revoking {
	struct op *op;
	bool done;
	bool already;
	struct err e;
};

static void
on_revoked(void *arg, bool already, const struct err *e)
{
	struct revoking *v = arg;

	assert_false(v->done);
	assert_null(v->op);
	v->done = true;
	v->already = already;
	if (e != NULL)
		v->e = *e;
}

static void
revoke_start(
    struct world *w, struct revoking *v, const struct result *r, int reason, const struct key *key)
{
	struct acme_revoke_conf conf = {
	    .reason = (enum revoke_reason)reason,
	    .key = key,
	    .deadline = clock_mono_ms() + 60 * 1000,
	};
	uint8_t *der = chain_leaf_der(r->chain, &conf.der_len);

	*v = (struct revoking){0};
	conf.der = der;
	acme_revoke_start(w->ca, &conf, on_revoked, v, &v->op);
	free(der);
	assert_false(v->done);
}

static bool
revoke_wait(struct world *w, struct revoking *v)
{
	return fake_clock_until(w->loop, &v->done, 61 * 1000);
}

static void
assert_revoked(struct world *w, struct revoking *v, bool already)
{
	if (!revoke_wait(w, v))
		fail_msg("never ends");
	if (v->e.kind != ERR_NONE)
		fail_msg("failed (%s): %s", err_kind_name(v->e.kind), v->e.detail);
	assert_int_equal(v->already, already);
}

static void
assert_not_revoked(struct world *w, struct revoking *v, enum err_kind kind, const char *text)
{
	if (!revoke_wait(w, v))
		fail_msg("never ends");
	if (v->e.kind != kind || strstr(v->e.detail, text) == NULL)
		fail_msg("wanted %s with \"%s\", got %s: %s", err_kind_name(kind), text,
		    err_kind_name(v->e.kind), v->e.detail);
}

/* A world with a certificate to revoke. */
static void
open_issued(struct world *w, struct result *r)
{
	world_open(w);
	world_ready(w);
	order_start(w, r, "a.test,b.test");
	assert_true(order_wait(w, r, 60 * 1000));
	assert_issued(r);
}

static void
close_issued(struct world *w, struct result *r)
{
	order_done(r);
	world_close(w);
}

/* ---- as it should be ---- */

static void
by_the_account(void **state)
{
	struct world w;
	struct result r;
	struct revoking v;
	char *again;

	open_issued(&w, &r);
	revoke_start(&w, &v, &r, REVOKE_UNSPECIFIED, NULL);
	assert_revoked(&w, &v, false);
	assert_int_equal(w.fake.revoked, 1);
	assert_int_equal(w.fake.count[FAKE_REVOKE], 1);
	assert_string_equal(w.fake.last_kid, ca_account_url(w.ca));
	/* Nothing is said where there is nothing to say. */
	assert_null(strstr(w.fake.last_payload[FAKE_REVOKE], "reason"));

	again = strdup(w.fake.last_payload[FAKE_REVOKE]);
	revoke_start(&w, &v, &r, REVOKE_UNSPECIFIED, NULL);
	assert_revoked(&w, &v, true);
	assert_int_equal(w.fake.revoked, 1);
	assert_string_equal(w.fake.last_payload[FAKE_REVOKE], again);
	free(again);
	close_issued(&w, &r);
}

static void
with_a_reason(void **state)
{
	static const int reasons[] = {REVOKE_KEY_COMPROMISE, REVOKE_SUPERSEDED, REVOKE_CESSATION};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct world w;
		struct result r;
		struct revoking v;
		char said[16];

		open_issued(&w, &r);
		revoke_start(&w, &v, &r, reasons[i], NULL);
		assert_revoked(&w, &v, false);
		snprintf(said, sizeof(said), "\"reason\":%d", reasons[i]);
		assert_non_null(strstr(w.fake.last_payload[FAKE_REVOKE], said));
		close_issued(&w, &r);
	}
}

/* No account is looked for, let alone made: the key stands for itself. */
static void
by_its_own_key(void **state)
{
	struct world w;
	struct result r;
	struct revoking v;
	struct key *key = key_generate(KEY_EC256, NULL);
	unsigned accounts;

	open_issued(&w, &r);
	ca_free(w.ca);
	fake_clock_advance(w.loop, 0);
	w.ca = ca_new(w.loop, w.client, &w.conf, NULL);
	assert_non_null(w.ca);
	accounts = w.fake.count[FAKE_NEW_ACCOUNT];
	w.fake.last_kid[0] = '\0';
	revoke_start(&w, &v, &r, REVOKE_KEY_COMPROMISE, key);
	assert_revoked(&w, &v, false);
	assert_int_equal(w.fake.revoked, 1);
	assert_string_equal(w.fake.last_kid, "");
	assert_int_equal(w.fake.count[FAKE_NEW_ACCOUNT], accounts);
	/* The directory is kept. */
	revoke_start(&w, &v, &r, REVOKE_KEY_COMPROMISE, key);
	assert_revoked(&w, &v, true);
	assert_int_equal(w.fake.count[FAKE_DIRECTORY], 2);
	close_issued(&w, &r);
	key_free(key);
}

/* ---- the account is not what it was ---- */

static void
account_moved(void **state)
{
	struct world w;
	struct result r;
	struct revoking v;

	open_issued(&w, &r);
	fake_ca_move_accounts(&w.fake);
	revoke_start(&w, &v, &r, REVOKE_UNSPECIFIED, NULL);
	assert_revoked(&w, &v, false);
	assert_int_equal(w.fake.count[FAKE_REVOKE], 2);
	assert_string_equal(w.fake.last_kid, ca_account_url(w.ca));
	close_issued(&w, &r);
}

static void
account_deactivated(void **state)
{
	struct world w;
	struct result r;
	struct revoking v;

	open_issued(&w, &r);
	w.fake.deactivated = true;
	fake_ca_move_accounts(&w.fake);
	revoke_start(&w, &v, &r, REVOKE_UNSPECIFIED, NULL);
	assert_not_revoked(&w, &v, ERR_ACCOUNT, "");
	/* Known by now: no request, no wait. */
	revoke_start(&w, &v, &r, REVOKE_UNSPECIFIED, NULL);
	fake_clock_settle(w.loop);
	assert_not_revoked(&w, &v, ERR_ACCOUNT, "");
	assert_true(v.e.retry_after > 0);
	assert_int_equal(w.fake.count[FAKE_REVOKE], 1);
	w.fake.deactivated = false;
	ca_reset(w.ca);
	revoke_start(&w, &v, &r, REVOKE_UNSPECIFIED, NULL);
	assert_revoked(&w, &v, false);
	close_issued(&w, &r);
}

/* ---- what the CA answers ---- */

struct answer {
	enum fake_http_outcome outcome;
	int status;
	const char *type; /* NULL: bare */
	enum err_kind kind;
	const char *text;
	unsigned sent; /* how often */
};

static bool
answer_so(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	const struct answer *a = ca->arg;

	if (step != FAKE_REVOKE)
		return false;
	reply->outcome = a->outcome;
	if (a->type != NULL)
		fake_ca_problem(reply, a->status, a->type, "as the CA says");
	else if (a->status > 0)
		fake_http_status(reply, a->status, "<html>");
	return true;
}

static void
each_answer(void **state)
{
	static const struct answer rows[] = {
	    {FAKE_HTTP_ANSWER, 403, "unauthorized", ERR_FORBIDDEN, "as the CA says", 1},
	    {FAKE_HTTP_ANSWER, 404, "malformed", ERR_BAD_CSR, "as the CA says", 1},
	    {FAKE_HTTP_ANSWER, 400, "malformed", ERR_BAD_CSR, "revocation: ca.test", 1},
	    {FAKE_HTTP_ANSWER, 400, "badRevocationReason", ERR_BAD_REQUEST, "as the CA says", 1},
	    {FAKE_HTTP_ANSWER, 429, "rateLimited", ERR_RATE_LIMITED, "as the CA says", 1},
	    {FAKE_HTTP_ANSWER, 500, "serverInternal", ERR_UPSTREAM, "as the CA says", 1},
	    {FAKE_HTTP_ANSWER, 502, NULL, ERR_UPSTREAM, "status 502", 1},
	    {FAKE_HTTP_ANSWER, 302, NULL, ERR_UPSTREAM, "status 302", 1},
	    {FAKE_HTTP_ANSWER, 400, "badNonce", ERR_UPSTREAM, "as the CA says", 11},
	    {FAKE_HTTP_REFUSED, 0, NULL, ERR_UNREACHABLE, "revocation", 1},
	    {FAKE_HTTP_STALE, 0, NULL, ERR_UNREACHABLE, "revocation", 2},
	    {FAKE_HTTP_SILENT, 0, NULL, ERR_UNREACHABLE, "revocation", 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;
		struct result r;
		struct revoking v;

		open_issued(&w, &r);
		w.fake.before = answer_so;
		w.fake.arg = (void *)&rows[i];
		revoke_start(&w, &v, &r, REVOKE_SUPERSEDED, NULL);
		assert_not_revoked(&w, &v, rows[i].kind, rows[i].text);
		assert_int_equal(w.fake.count[FAKE_REVOKE], rows[i].sent);
		assert_int_equal(w.fake.revoked, 0);

		/* The next one is not the worse for it, once the CA is well. */
		w.fake.before = NULL;
		fake_clock_advance(w.loop, 120 * 1000);
		revoke_start(&w, &v, &r, REVOKE_SUPERSEDED, NULL);
		assert_revoked(&w, &v, false);
		close_issued(&w, &r);
	}
}

static void
another_bad_nonce(void **state)
{
	struct world w;
	struct result r;
	struct revoking v;

	open_issued(&w, &r);
	w.fake.bad_nonces = 3;
	revoke_start(&w, &v, &r, REVOKE_UNSPECIFIED, NULL);
	assert_revoked(&w, &v, false);
	assert_int_equal(w.fake.count[FAKE_REVOKE], 4);
	close_issued(&w, &r);
}

static void
nothing_is_said_of_the_account(void **state)
{
	static const struct answer a = {
	    FAKE_HTTP_ANSWER, 400, "accountDoesNotExist", ERR_ACCOUNT, "", 1};
	struct world w;
	struct result r;
	struct revoking v;
	struct key *key = key_generate(KEY_EC256, NULL);
	unsigned lookups;

	open_issued(&w, &r);
	w.fake.before = answer_so;
	w.fake.arg = (void *)&a;
	lookups = w.fake.count[FAKE_NEW_ACCOUNT];
	revoke_start(&w, &v, &r, REVOKE_UNSPECIFIED, key);
	assert_not_revoked(&w, &v, ERR_ACCOUNT, "as the CA says");
	fake_clock_advance(w.loop, 5000);
	assert_int_equal(w.fake.count[FAKE_NEW_ACCOUNT], lookups);
	close_issued(&w, &r);
	key_free(key);
}

static bool
bare_directory(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	const char *body = ca->arg;

	if (step != FAKE_DIRECTORY)
		return false;
	fake_http_status(reply, 200, body);
	return true;
}

static void
directory_without_it(void **state)
{
	static const struct {
		const char *body;
		const char *text;
	} rows[] = {
	    {"{\"newNonce\":\"https://ca.test/new-nonce\",\"newAccount\":"
	     "\"https://ca.test/new-account\",\"newOrder\":\"https://ca.test/new-order\"}",
		"gave no URL"},
	    {"[]", "directory of ca.test"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;
		struct result r;
		struct revoking v;
		struct key *key = key_generate(KEY_EC256, NULL);

		open_issued(&w, &r);
		ca_free(w.ca);
		fake_clock_advance(w.loop, 0);
		w.ca = ca_new(w.loop, w.client, &w.conf, NULL);
		w.fake.before = bare_directory;
		w.fake.arg = (void *)rows[i].body;
		revoke_start(&w, &v, &r, REVOKE_UNSPECIFIED, key);
		assert_not_revoked(&w, &v, ERR_UPSTREAM, rows[i].text);
		close_issued(&w, &r);
		key_free(key);
	}
}

/* ---- time and cancellation ---- */

static bool
silent_directory(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	reply->outcome = FAKE_HTTP_SILENT;
	return step == FAKE_DIRECTORY;
}

/* The first check of the account is under way and says nothing. */
static void
no_account_in_time(void **state)
{
	struct world w;
	struct result r;
	struct revoking v;
	struct acme_revoke_conf conf = {.der = (const uint8_t *)"0", .der_len = 1};

	open_issued(&w, &r);
	w.fake.before = silent_directory;
	world_restart(&w);
	v = (struct revoking){0};
	conf.deadline = clock_mono_ms() + 2000;
	acme_revoke_start(w.ca, &conf, on_revoked, &v, &v.op);
	assert_true(fake_clock_until(w.loop, &v.done, 2001));
	assert_not_revoked(&w, &v, ERR_TIMEOUT, "not ready in time");
	close_issued(&w, &r);
}

static void
cancelled_at_each_moment(void **state)
{
	struct world w;
	struct result r;
	struct revoking v;
	struct key *key = key_generate(KEY_EC256, NULL);

	open_issued(&w, &r);
	w.fake.delay_ms = 20;
	w.fake.no_nonces = true;
	for (int ms = 0; ms < 100; ms += 5) {
		revoke_start(&w, &v, &r, REVOKE_UNSPECIFIED, ms % 10 != 0 ? key : NULL);
		fake_clock_advance(w.loop, ms);
		op_cancel(&v.op);
		assert_null(v.op);
		fake_clock_settle(w.loop);
	}
	assert_true(v.done);
	close_issued(&w, &r);
	key_free(key);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(by_the_account),
	    cmocka_unit_test(with_a_reason),
	    cmocka_unit_test(by_its_own_key),
	    cmocka_unit_test(account_moved),
	    cmocka_unit_test(account_deactivated),
	    cmocka_unit_test(each_answer),
	    cmocka_unit_test(another_bad_nonce),
	    cmocka_unit_test(nothing_is_said_of_the_account),
	    cmocka_unit_test(directory_without_it),
	    cmocka_unit_test(no_account_in_time),
	    cmocka_unit_test(cancelled_at_each_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
