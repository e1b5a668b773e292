/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Revocations: who may, what leaves store and memory, what becomes of a compromised key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/revoke.h"
#include "base/map.h"
#include "codec/digest.h"
#include "fake_cert.h"
#include "world.h"

struct revoker {
	struct op *op;
	int answers;
	bool already;
	char serial[SERIAL_HEX];
	struct err error;
};

static void
on_revoked(void *arg, const struct revoke_result *result, const struct err *e)
{
	struct revoker *v = arg;

	assert_null(v->op);
	v->answers++;
	if (e != NULL) {
		v->error = *e;
		return;
	}
	v->already = result->already;
	snprintf(v->serial, sizeof(v->serial), "%s", result->serial);
}

static void
ask_with_key(
    struct world *w, struct revoker *v, const char *pem, enum revoke_reason reason, const char *key)
{
	struct client_identity who = {.text = "unix"};
	struct authentication auth = {.kind = DIGEST_SHA256};
	struct revoke_request request = {
	    .who = &who, .auth = &auth, .body = pem, .body_len = strlen(pem), .reason = reason};

	*v = (struct revoker){0};
	digest_hmac(DIGEST_SHA256, key, strlen(key), pem, strlen(pem), auth.hash);
	desk_revoke(w->desk, &request, on_revoked, v, &v->op);
	assert_int_equal(v->answers, 0);
	assert_non_null(v->op);
	settle(w);
}

static void
ask(struct world *w, struct revoker *v, const char *pem, enum revoke_reason reason)
{
	ask_with_key(w, v, pem, reason, REVOKE_KEY);
}

static void
ca_says(struct world *w, enum err_kind kind, const char *text)
{
	struct err e;

	err_set(&e, kind, "%s", text);
	e.retry_after = 7;
	fake_revoke_end(false, kind == ERR_NONE ? NULL : &e);
	settle(w);
}

static void
expect_revoked(const struct revoker *v, bool already)
{
	assert_int_equal(v->answers, 1);
	if (v->error.kind != ERR_NONE)
		fail_msg("%s: %s", err_kind_name(v->error.kind), v->error.detail);
	assert_int_equal(v->already, already);
}

static void
expect_not_revoked(const struct revoker *v, enum err_kind kind, const char *text)
{
	assert_int_equal(v->answers, 1);
	assert_string_equal(err_kind_name(v->error.kind), err_kind_name(kind));
	if (strstr(v->error.detail, text) == NULL)
		fail_msg("%s", v->error.detail);
}

/* ---- what leaves ---- */

static void
leaves_the_store(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept"), other = body_make("b.kept");
	struct client c = {0}, d = {0};
	struct revoker v;

	issue(w, &d, &other);
	issue(w, &c, &b);
	ask(w, &v, c.pem, REVOKE_SUPERSEDED);
	assert_int_equal(fake_acme.reason, REVOKE_SUPERSEDED);
	assert_true(fake_acme.revoke_der_len > 100);
	/* Until the CA has done it, it is as good as before. */
	assert_int_equal(map_count(w->kept.entries), 2);
	ca_says(w, ERR_NONE, "");
	expect_revoked(&v, false);
	assert_int_equal(w->kept.removes, 1);
	assert_int_equal(map_count(w->kept.entries), 1);
	assert_int_equal(logged(w, "is revoked, reason 4"), 1);

	/* The same CSR: a new certificate. */
	char *before = strdup(c.pem);
	client_done(&c);
	issue(w, &c, &b);
	assert_string_not_equal(before, c.pem);
	post(w, &d, &other);
	assert_true(d.cached);
	free(before);
	client_done(&c);
	client_done(&d);
	body_done(&b);
	body_done(&other);
}

static void
leaves_every_memory(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};
	struct revoker v;

	err_set(&w->kept.put_fails, ERR_CONFIG, "the disk is full");
	issue(w, &c, &b);
	char *pem = strdup(c.pem);
	post(w, &c, &b);
	assert_true(c.cached);
	ask(w, &v, pem, REVOKE_CESSATION);
	ca_says(w, ERR_NONE, "");
	expect_revoked(&v, false);
	post(w, &c, &b);
	assert_int_equal(fake_orders_open(), 1);
	/* And is not put into the store once it can be. */
	err_clear(&w->kept.put_fails);
	pass(w, 2 * MINUTE);
	assert_int_equal(map_count(w->kept.entries), 0);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(&c);
	assert_string_not_equal(c.pem, pem);
	free(pem);
	client_done(&c);
	body_done(&b);
}

static void
is_revoked_already(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};
	struct revoker v;

	issue(w, &c, &b);
	ask(w, &v, c.pem, REVOKE_UNSPECIFIED);
	fake_revoke_end(true, NULL);
	settle(w);
	expect_revoked(&v, true);
	assert_int_equal(map_count(w->kept.entries), 0);
	client_done(&c);
	body_done(&b);
}

static void
store_keeps_it(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};
	struct revoker v;

	issue(w, &c, &b);
	err_set(&w->kept.remove_fails, ERR_CONFIG, "/secret/path: cannot remove");
	ask(w, &v, c.pem, REVOKE_UNSPECIFIED);
	ca_says(w, ERR_NONE, "");
	expect_not_revoked(&v, ERR_CONFIG, "a.kept: revoked, but");
	assert_null(strstr(v.error.detail, "/secret"));
	assert_int_equal(logged(w, "/secret/path"), 1);
	client_done(&c);
	body_done(&b);
}

/* ---- who may ---- */

static void
refused(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept"), plain = body_make("x.plain");
	struct client c = {0}, d = {0};
	struct revoker v;

	issue(w, &c, &b);
	issue(w, &d, &plain);
	ask_with_key(w, &v, c.pem, REVOKE_UNSPECIFIED, "another key");
	expect_not_revoked(&v, ERR_FORBIDDEN, "no auth block admits this revocation for a.kept");
	/* Everybody may have one for it; to revoke is another matter. */
	ask(w, &v, d.pem, REVOKE_UNSPECIFIED);
	expect_not_revoked(&v, ERR_FORBIDDEN, "x.plain");
	ask(w, &v, b.text, REVOKE_UNSPECIFIED);
	expect_not_revoked(&v, ERR_BAD_CSR, "has to be a certificate");
	ask(w, &v, "", REVOKE_UNSPECIFIED);
	expect_not_revoked(&v, ERR_BAD_CSR, "has to be a certificate");
	assert_int_equal(fake_acme.revocations, 0);
	assert_int_equal(logged(w, "revocation refused"), 4);
	desk_drain(w->desk);
	ask(w, &v, c.pem, REVOKE_UNSPECIFIED);
	expect_not_revoked(&v, ERR_BUSY, "Not revoked for a.kept");
	client_done(&c);
	client_done(&d);
	body_done(&b);
	body_done(&plain);
}

static void
all_names_count(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept,192.0.2.7");
	struct client c = {0};
	struct revoker v;

	issue(w, &c, &b);
	ask(w, &v, c.pem, REVOKE_UNSPECIFIED);
	expect_not_revoked(&v, ERR_FORBIDDEN, "192.0.2.7");
	assert_int_equal(fake_acme.revocations, 0);
	client_done(&c);
	body_done(&b);
}

/* ---- the CA does not ---- */

static void
ca_fails(void **state)
{
	static const struct {
		enum err_kind kind;
		const char *text;
	} rows[] = {
	    {ERR_UNREACHABLE, "post the same certificate again in 7 s"},
	    {ERR_UPSTREAM, "post the same certificate again in 7 s"},
	    {ERR_FORBIDDEN, "Not revoked for a.kept"},
	    {ERR_BAD_CSR, "Not revoked for a.kept"},
	    {ERR_ACCOUNT, "whoever runs this server"},
	};
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};
	struct revoker v;

	issue(w, &c, &b);
	char *pem = strdup(c.pem);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask(w, &v, pem, REVOKE_SUPERSEDED);
		ca_says(w, rows[i].kind, "the CA says so");
		expect_not_revoked(&v, rows[i].kind, rows[i].text);
		assert_int_equal(v.error.retry_after, 7);
		/* Nothing has changed. */
		post(w, &c, &b);
		assert_true(c.cached);
	}
	assert_int_equal(w->kept.removes, 0);
	assert_int_equal(w->kept.bars, 0);
	free(pem);
	client_done(&c);
	body_done(&b);
}

static void
time_is_over(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};
	struct revoker v;

	issue(w, &c, &b);
	ask(w, &v, c.pem, REVOKE_UNSPECIFIED);
	pass(w, TIMEOUT_MS + 2 * SECOND);
	expect_not_revoked(&v, ERR_TIMEOUT, "not revoked within 180 s");
	assert_false(fake_acme.revoking);
	client_done(&c);
	body_done(&b);
}

static void
asker_hangs_up(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};
	struct revoker v;

	issue(w, &c, &b);
	ask(w, &v, c.pem, REVOKE_UNSPECIFIED);
	op_cancel(&v.op);
	assert_true(fake_acme.revoking);
	ca_says(w, ERR_NONE, "");
	assert_int_equal(v.answers, 0);
	assert_int_equal(map_count(w->kept.entries), 0);
	assert_int_equal(logged(w, "the revocation goes on"), 1);
	client_done(&c);
	body_done(&b);
}

/* Who waits for a new one because his was due does not get the old one after all. */
static void
leaves_who_waits(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept"), other = body_make("b.kept");
	struct client c = {0}, d = {0};
	struct revoker v;

	issue(w, &d, &other);
	issue(w, &c, &b);
	char *old = strdup(c.pem);
	pass(w, 80 * 24 * (int64_t)HOUR);
	post(w, &c, &b);
	post(w, &d, &other);
	assert_int_equal(fake_orders_open(), 2);
	ask(w, &v, old, REVOKE_SUPERSEDED);
	ca_says(w, ERR_NONE, "");
	expect_revoked(&v, false);
	for (int i = 0; i < 2; i++)
		fake_order_fail(fake_order_at(0), ERR_UPSTREAM, "the CA is upset", 0);
	settle(w);
	expect_error(&c, ERR_UPSTREAM);
	expect_pem(&d);
	free(old);
	client_done(&d);
	client_done(&c);
	body_done(&other);
	body_done(&b);
}

static void
on_idle(void *arg)
{
	((struct world *)arg)->idle++;
}

static void
shutting_down(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};
	struct revoker v;
	struct err e;

	issue(w, &c, &b);
	ask(w, &v, c.pem, REVOKE_UNSPECIFIED);
	desk_drain(w->desk);
	desk_on_idle(w->desk, on_idle, w);
	settle(w);
	assert_int_equal(w->idle, 0);
	err_set(&e, ERR_BUSY, "shutting down");
	desk_abort(w->desk, &e);
	settle(w);
	expect_not_revoked(&v, ERR_BUSY, "shutting down");
	assert_false(fake_acme.revoking);
	assert_int_equal(w->idle, 1);
	client_done(&c);
	body_done(&b);
}

/* The desk goes while one is under way: nothing is left over. */
static void
freed_on_the_way(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};
	static struct revoker v;

	issue(w, &c, &b);
	ask(w, &v, c.pem, REVOKE_UNSPECIFIED);
	client_done(&c);
	body_done(&b);
}

/* ---- a compromised key ---- */

static void
bars_the_key(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};
	struct revoker v;

	issue(w, &c, &b);
	char *pem = strdup(c.pem);
	ask(w, &v, pem, REVOKE_KEY_COMPROMISE);
	/* At once, though the CA has said nothing yet, and durably. */
	assert_true(fake_acme.revoking);
	assert_int_equal(w->kept.bars, 1);
	post(w, &c, &b);
	expect_error(&c, ERR_BAD_CSR);
	assert_non_null(strstr(c.error.detail, "make a new key"));
	ca_says(w, ERR_UNREACHABLE, "gone");
	expect_not_revoked(&v, ERR_UNREACHABLE, "certificates for its key are refused from now on");
	post(w, &c, &b);
	expect_error(&c, ERR_BAD_CSR);

	ask(w, &v, pem, REVOKE_KEY_COMPROMISE);
	ca_says(w, ERR_NONE, "");
	expect_revoked(&v, false);
	assert_int_equal(map_count(w->kept.entries), 0);
	post(w, &c, &b);
	expect_error(&c, ERR_BAD_CSR);
	assert_int_equal(fake_acme.started, 1);
	free(pem);
	client_done(&c);
	body_done(&b);
}

/* A certificate nobody here knows may be anybody's work: the CA has to know it. */
static void
bars_a_stranger_later(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};
	struct revoker v;

	issue(w, &c, &b);
	char *pem = strdup(c.pem);
	fake_store_lose(&w->kept, b.key);
	ask(w, &v, pem, REVOKE_KEY_COMPROMISE);
	ca_says(w, ERR_BAD_CSR, "no such certificate");
	expect_not_revoked(&v, ERR_BAD_CSR, "no such certificate");
	assert_int_equal(w->kept.bars, 0);
	ask(w, &v, pem, REVOKE_KEY_COMPROMISE);
	assert_int_equal(w->kept.bars, 0);
	ca_says(w, ERR_NONE, "");
	expect_revoked(&v, false);
	assert_int_equal(w->kept.bars, 1);
	post(w, &c, &b);
	expect_error(&c, ERR_BAD_CSR);
	free(pem);
	client_done(&c);
	body_done(&b);
}

static void
jobs_for_it_fail(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0}, d = {0}, e = {0};
	struct revoker v;

	/* Renewed early: one certificate in the store, a job for the next. */
	issue(w, &c, &b);
	char *pem = strdup(c.pem);
	fake_store_set_directory(&w->kept, b.key, "https://other.test/");
	post(w, &d, &b);
	post(w, &e, &b);
	assert_int_equal(fake_orders_open(), 1);
	ask(w, &v, pem, REVOKE_KEY_COMPROMISE);
	expect_error(&d, ERR_BAD_CSR);
	expect_error(&e, ERR_BAD_CSR);
	assert_int_equal(fake_orders_open(), 0);
	ca_says(w, ERR_NONE, "");
	expect_revoked(&v, false);
	free(pem);
	client_done(&c);
	client_done(&d);
	client_done(&e);
	body_done(&b);
}

/* Admitted before, and not yet a job: it does not slip through. */
static void
who_waits_for_the_store_fails(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0}, d = {0};
	struct revoker v;

	issue(w, &c, &b);
	fake_store_set_directory(&w->kept, b.key, "https://other.test/");
	w->kept.get_ms = SECOND;
	post(w, &d, &b);
	assert_int_equal(d.answers, 0);
	ask(w, &v, c.pem, REVOKE_KEY_COMPROMISE);
	pass(w, SECOND);
	expect_error(&d, ERR_BAD_CSR);
	assert_int_equal(fake_acme.started, 1);
	assert_int_equal(audited(w, "refused", "\"rule\":\"key\""), 1);
	ca_says(w, ERR_NONE, "");
	expect_revoked(&v, false);
	client_done(&d);
	client_done(&c);
	body_done(&b);
}

/* Also one whose certificate is only to be stored yet. */
static void
stored_too_late(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0}, d = {0};
	struct revoker v;

	issue(w, &c, &b);
	fake_store_set_directory(&w->kept, b.key, "https://other.test/");
	w->kept.put_ms = 5 * SECOND;
	post(w, &d, &b);
	char *pem = strdup(c.pem);
	ask(w, &v, pem, REVOKE_SUPERSEDED);
	fake_order_issue(fake_order_at(0));
	ca_says(w, ERR_NONE, "");
	expect_revoked(&v, false);
	assert_int_equal(d.answers, 0);
	ask(w, &v, pem, REVOKE_KEY_COMPROMISE);
	ca_says(w, ERR_NONE, "");
	expect_error(&d, ERR_BAD_CSR);
	post(w, &c, &b);
	expect_error(&c, ERR_BAD_CSR);
	free(pem);
	client_done(&c);
	client_done(&d);
	body_done(&b);
}

static void
bar_does_not_last(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.kept");
	struct client c = {0};
	struct revoker v;

	issue(w, &c, &b);
	char *pem = strdup(c.pem);
	err_set(&w->kept.bar_fails, ERR_CONFIG, "/secret/path: no space left");
	ask(w, &v, pem, REVOKE_KEY_COMPROMISE);
	ca_says(w, ERR_NONE, "");
	expect_not_revoked(&v, ERR_CONFIG, "a.kept: revoked, but");
	assert_null(strstr(v.error.detail, "/secret"));
	assert_int_equal(logged(w, "/secret/path"), 1);
	post(w, &c, &b);
	expect_error(&c, ERR_BAD_CSR);
	/* Said again once there is room, it is kept in mind. */
	err_clear(&w->kept.bar_fails);
	ask(w, &v, pem, REVOKE_KEY_COMPROMISE);
	fake_revoke_end(true, NULL);
	settle(w);
	expect_revoked(&v, true);
	assert_int_equal(w->kept.bars, 2);

	/* A disk that hangs keeps nobody from revoking. */
	w->kept.bar_ms = -1;
	ask(w, &v, pem, REVOKE_KEY_COMPROMISE);
	ca_says(w, ERR_NONE, "");
	pass(w, 31 * SECOND);
	expect_not_revoked(&v, ERR_CONFIG, "revoked, but");
	free(pem);
	client_done(&c);
	body_done(&b);
}

/* Storage none has no disk to keep it on. */
static void
bars_without_a_store(void **state)
{
	struct world *w = *state;
	struct body b = body_make("a.example");
	struct client c = {0};
	struct revoker v;

	issue(w, &c, &b);
	ask(w, &v, c.pem, REVOKE_KEY_COMPROMISE);
	ca_says(w, ERR_NONE, "");
	expect_revoked(&v, false);
	post(w, &c, &b);
	expect_error(&c, ERR_BAD_CSR);
	client_done(&c);
	body_done(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    SCENARIO(leaves_the_store),
	    SCENARIO(leaves_every_memory),
	    SCENARIO(is_revoked_already),
	    SCENARIO(store_keeps_it),
	    SCENARIO(refused),
	    SCENARIO(all_names_count),
	    SCENARIO(ca_fails),
	    SCENARIO(time_is_over),
	    SCENARIO(leaves_who_waits),
	    SCENARIO(asker_hangs_up),
	    SCENARIO(shutting_down),
	    SCENARIO(freed_on_the_way),
	    SCENARIO(bars_the_key),
	    SCENARIO(bars_a_stranger_later),
	    SCENARIO(jobs_for_it_fail),
	    SCENARIO(who_waits_for_the_store_fails),
	    SCENARIO(stored_too_late),
	    SCENARIO(bar_does_not_last),
	    SCENARIO(bars_without_a_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
