/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The account at start, and what may happen to it later. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "world.h"

static int
mode_of(struct world *w, const char *name)
{
	char *path = xasprintf("%s/%s", w->dir, name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	free(path);
	return (int)(st.st_mode & 0777);
}

static void
assert_file_has(struct world *w, const char *text)
{
	char *file = world_file(w, "registration.json");

	if (strstr(file, text) == NULL)
		fail_msg("no %s in %s", text, file);
	free(file);
}

static void
assert_refused(struct world *w, enum err_kind kind, const char *text)
{
	struct err e;

	assert_false(ca_ready(w->ca, &e));
	if (e.kind != kind || strstr(e.detail, text) == NULL)
		fail_msg("wanted %s, \"%s\", got %s: %s", err_kind_name(kind), text,
		    err_kind_name(e.kind), e.detail);
	assert_true(e.retry_after > 0);
}

/* ---- start ---- */

static void
first_start(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	assert_int_equal(w.events[CA_EVENT_KEY_MADE], 1);
	assert_int_equal(w.events[CA_EVENT_REGISTERED], 1);
	assert_string_equal(w.event_text[CA_EVENT_REGISTERED], "https://ca.test/account/1");
	assert_int_equal(w.events[CA_EVENT_FAILED], 0);
	assert_int_equal(mode_of(&w, "account.pem"), 0600);
	assert_int_equal(mode_of(&w, "registration.json"), 0600);
	assert_int_equal(mode_of(&w, "."), 0700);
	assert_file_has(&w, "\"uri\": \"https://ca.test/account/1\"");
	assert_file_has(&w, "\"status\": \"valid\"");
	assert_file_has(&w, "\"kty\": \"EC\"");
	world_close(&w);
}

static void
second_start(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_FOUND], 1);
	assert_int_equal(w.fake.registrations, 1);
	order_good(&w, "a.test");
	assert_string_equal(w.fake.last_kid, "https://ca.test/account/1");
	world_close(&w);
}

static void
no_network_in_new(void **state)
{
	struct world w;
	struct err e;

	world_open(&w);
	w.ca = ca_new(w.loop, w.client, &w.conf, &e);
	fake_clock_advance(w.loop, 10 * 1000);
	assert_int_equal(w.fake.requests, 0);
	assert_string_equal(ca_account_url(w.ca), "");
	assert_string_equal(ca_directory_url(w.ca), "https://ca.test/directory");
	assert_non_null(ca_key(w.ca));
	assert_true(ca_ready(w.ca, &e));
	world_close(&w);
}

static void
key_tightened(void **state)
{
	struct world w;
	char *pem;

	world_open(&w);
	world_ready(&w);
	pem = world_file(&w, "account.pem");
	world_write(&w, "account.pem", pem, 0644);
	world_restart(&w);
	assert_int_equal(w.events[CA_EVENT_KEY_TIGHTENED], 1);
	assert_int_equal(mode_of(&w, "account.pem"), 0600);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.fake.registrations, 1);
	free(pem);
	world_close(&w);
}

static void
key_damaged(void **state)
{
	struct world w;
	struct err e;

	world_open(&w);
	world_write(&w, "account.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n", 0600);
	assert_null(ca_new(w.loop, w.client, &w.conf, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.detail, "account.pem"));
	world_close(&w);
}

/* What we do not know stays; the key is the account, whatever uri stands there. */
static void
registration_kept(void **state)
{
	struct world w;

	world_open(&w);
	world_write(&w, "registration.json",
	    "{\"uri\": \"https://old.test/acct/9\", \"new_authzr_uri\": \"x\","
	    " \"body\": {\"agreement\": \"https://old.test/tos\", \"contact\": [\"mailto:a@b\"]}}",
	    0600);
	world_ready(&w);
	assert_file_has(&w, "\"new_authzr_uri\": \"x\"");
	assert_file_has(&w, "\"agreement\": \"https://old.test/tos\"");
	assert_file_has(&w, "\"uri\": \"https://ca.test/account/1\"");
	world_close(&w);
}

static void
registration_damaged(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "{\"uri\": 5, \"body\": 7}", "null"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct world w;

		world_open(&w);
		world_write(&w, "registration.json", texts[i], 0600);
		world_ready(&w);
		assert_int_equal(w.events[CA_EVENT_TROUBLE], i != 3);
		assert_int_equal(w.events[CA_EVENT_FAILED], 0);
		assert_file_has(&w, "\"uri\": \"https://ca.test/account/1\"");
		world_close(&w);
	}
}

static void
account_moved(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	fake_ca_move_accounts(&w.fake);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_MOVED], 1);
	assert_non_null(strstr(w.event_text[CA_EVENT_MOVED], "https://ca.test/account/2"));
	assert_file_has(&w, "\"uri\": \"https://ca.test/account/2\"");
	order_good(&w, "a.test");
	world_close(&w);
}

/* Another acme-server, same account directory: it just registers there. */
static void
moved_to_another_ca(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	snprintf(w.fake.base, sizeof(w.fake.base), "https://other.test");
	snprintf(w.directory_url, sizeof(w.directory_url), "https://other.test/directory");
	fake_ca_forget(&w.fake);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_REGISTERED], 1);
	order_good(&w, "a.test");
	assert_file_has(&w, "\"uri\": \"https://other.test/account/");
	world_close(&w);
}

/* ---- terms, binding, contacts ---- */

static void
terms(void **state)
{
	char *right[] = {(char *)"https://ca.test/terms/1", (char *)"https://ca.test/terms/2"};
	struct world w;

	world_open(&w);
	w.fake.terms = "https://ca.test/terms/2";
	world_start(&w);
	fake_clock_advance(w.loop, 100);
	assert_refused(&w, ERR_ACCOUNT, "accept-terms-of-service = https://ca.test/terms/2");
	assert_int_equal(w.events[CA_EVENT_FAILED], 1);
	assert_int_equal(w.fake.registrations, 0);
	w.conf.terms.urls = right;
	w.conf.terms.url_count = 1;
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_refused(&w, ERR_ACCOUNT, "https://ca.test/terms/2");
	w.conf.terms.url_count = 2;
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.fake.registrations, 1);
	assert_true(ca_ready(w.ca, NULL));
	world_close(&w);
}

/* Those of an account that exists were accepted then. */
static void
terms_of_an_old_account(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	w.fake.terms = "https://ca.test/terms/2";
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	order_good(&w, "a.test");
	world_close(&w);
}

static void
binding(void **state)
{
	static const uint8_t key[] = "0123456789abcdef0123456789abcdef";
	struct world w;

	world_open(&w);
	w.fake.binding = true;
	world_start(&w);
	fake_clock_advance(w.loop, 100);
	assert_refused(&w, ERR_ACCOUNT, "eab-kid and eab-hmac-key");
	w.conf.eab_kid = "kid-1";
	w.conf.eab_key = key;
	w.conf.eab_key_len = 32;
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_true(ca_ready(w.ca, NULL));
	assert_int_equal(w.fake.registrations, 1);
	world_close(&w);
}

static void
contacts(void **state)
{
	char *one[] = {(char *)"mailto:a@b.test"};
	char *two[] = {(char *)"mailto:c@d.test", (char *)"mailto:a@b.test"};
	struct world w;

	world_open(&w);
	w.conf.contacts = one;
	w.conf.contact_count = 1;
	world_ready(&w);
	assert_non_null(
	    strstr(w.fake.last_payload[FAKE_NEW_ACCOUNT], "\"contact\":[\"mailto:a@b.test\"]"));
	assert_file_has(&w, "mailto:a@b.test");
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.fake.count[FAKE_ACCOUNT], 0);
	w.conf.contacts = two;
	w.conf.contact_count = 2;
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.fake.count[FAKE_ACCOUNT], 1);
	assert_file_has(&w, "mailto:c@d.test");
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.fake.count[FAKE_ACCOUNT], 1);
	/* No contact configured: what the account has is nobody's business. */
	w.conf.contact_count = 0;
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.fake.count[FAKE_ACCOUNT], 1);
	assert_file_has(&w, "mailto:c@d.test");
	world_close(&w);
}

static void
forget_contact(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	char *at = reply->body != NULL ? strstr(reply->body, "contact") : NULL;

	if (at != NULL)
		memcpy(at, "ignored", 7);
}

/* Let's Encrypt keeps none: they are not sent again at every start. */
static void
contacts_not_kept(void **state)
{
	char *one[] = {(char *)"mailto:a@b.test"};
	struct world w;

	world_open(&w);
	w.conf.contacts = one;
	w.conf.contact_count = 1;
	w.fake.after = forget_contact;
	world_ready(&w);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.fake.count[FAKE_ACCOUNT], 0);
	assert_true(ca_ready(w.ca, NULL));
	world_close(&w);
}

static bool
refuse_contact(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_ACCOUNT)
		return false;
	fake_ca_problem(reply, 400, "invalidContact", "that is no address");
	return true;
}

/* It costs nobody a certificate. */
static void
contact_refused(void **state)
{
	char *one[] = {(char *)"mailto:a@b.test"};
	struct world w;

	world_open(&w);
	world_ready(&w);
	w.conf.contacts = one;
	w.conf.contact_count = 1;
	w.fake.before = refuse_contact;
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_TROUBLE], 1);
	assert_non_null(strstr(w.event_text[CA_EVENT_TROUBLE], "that is no address"));
	order_good(&w, "a.test");
	world_close(&w);
}

/* ---- accounts that go ---- */

static void
deactivated(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	world_ready(&w);
	w.fake.deactivated = true;
	world_restart(&w);
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 10 * 1000);
	assert_failed(&r, ERR_ACCOUNT, "deactivated");
	assert_refused(&w, ERR_ACCOUNT, "deactivated");
	assert_int_equal(w.fake.registrations, 1);
	order_done(&r);
	world_close(&w);
}

static bool
unauthorized(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step == FAKE_DIRECTORY || step == FAKE_NEW_NONCE)
		return false;
	fake_ca_problem(reply, 401, "unauthorized", "account is deactivated");
	return true;
}

/* While running: the order fails with the reason, the next ones at once. */
static void
deactivated_while_running(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	world_ready(&w);
	fake_clock_advance(w.loop, 60 * 1000);
	w.fake.before = unauthorized;
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 10 * 1000);
	assert_failed(&r, ERR_ACCOUNT, "deactivated");
	assert_refused(&w, ERR_ACCOUNT, "deactivated");
	assert_int_equal(w.events[CA_EVENT_FAILED], 1);
	order_done(&r);
	/* Looked at again after ten minutes. */
	w.fake.before = NULL;
	fake_clock_advance(w.loop, 601 * 1000);
	assert_true(ca_ready(w.ca, NULL));
	assert_int_equal(w.events[CA_EVENT_UP], 1);
	world_close(&w);
}

/* A test CA that was restarted: the order that meets it succeeds all the same. */
static void
account_gone(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	order_good(&w, "a.test");
	fake_clock_advance(w.loop, 60 * 1000);
	fake_ca_forget(&w.fake);
	order_good(&w, "b.test");
	assert_int_equal(w.fake.registrations, 2);
	assert_int_equal(w.events[CA_EVENT_REGISTERED], 2);
	world_close(&w);
}

/* The same within a second of the start. */
static void
account_gone_at_once(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	fake_ca_forget(&w.fake);
	order_good(&w, "b.test");
	assert_int_equal(w.fake.registrations, 2);
	world_close(&w);
}

static void
account_gone_with_many_orders(void **state)
{
	struct world w;
	struct result r[20];

	world_open(&w);
	w.fake.delay_ms = 40;
	w.fake.validation_ms = 500;
	world_ready(&w);
	fake_clock_advance(w.loop, 60 * 1000);
	for (size_t i = 0; i < 20; i++)
		order_start(&w, &r[i], "b.test,c.test");
	fake_clock_advance(w.loop, 300);
	fake_ca_forget(&w.fake);
	for (size_t i = 0; i < 20; i++) {
		order_wait(&w, &r[i], 60 * 1000);
		assert_issued(&r[i]);
		order_done(&r[i]);
	}
	assert_int_equal(w.fake.registrations, 2);
	world_close(&w);
}

/* A CA that forgets again and again is not flooded with registrations. */
static void
registrations_are_bounded(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	world_ready(&w);
	for (int i = 0; i < 5; i++) {
		fake_clock_advance(w.loop, 30 * 1000);
		fake_ca_forget(&w.fake);
		order_start(&w, &r, "a.test");
		order_wait(&w, &r, 20 * 1000);
		if (i == 0)
			assert_issued(&r);
		else
			assert_failed(&r, ERR_ACCOUNT, "");
		order_done(&r);
	}
	assert_int_equal(w.fake.registrations, 2);
	assert_refused(&w, ERR_ACCOUNT, "10 minutes");
	fake_clock_advance(w.loop, 600 * 1000);
	assert_int_equal(w.fake.registrations, 3);
	order_good(&w, "a.test");
	world_close(&w);
}

/* ---- a CA that is down ---- */

static bool
down(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	reply->outcome = FAKE_HTTP_REFUSED;
	return true;
}

static void
down_at_start(void **state)
{
	static const int64_t waits[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.before = down;
	world_start(&w);
	assert_true(ca_ready(w.ca, NULL));
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 10);
	assert_failed(&r, ERR_UNREACHABLE, "directory: https://ca.test/directory: connection");
	order_done(&r);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		unsigned before = w.fake.requests;

		assert_refused(&w, ERR_UNREACHABLE, "connection refused");
		fake_clock_advance(w.loop, waits[i] * 1000 - 20);
		assert_int_equal(w.fake.requests, before);
		fake_clock_advance(w.loop, 20);
		assert_int_equal(w.fake.requests, before + 1);
	}
	assert_int_equal(w.events[CA_EVENT_FAILED], 1);
	w.fake.before = NULL;
	fake_clock_advance(w.loop, 60 * 1000);
	assert_int_equal(w.events[CA_EVENT_UP], 1);
	assert_true(ca_ready(w.ca, NULL));
	order_good(&w, "a.test");
	world_close(&w);
}

static void
down_while_running(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	world_ready(&w);
	w.fake.before = down;
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 1000);
	assert_failed(&r, ERR_UNREACHABLE, "refused");
	order_done(&r);
	assert_refused(&w, ERR_UNREACHABLE, "refused");
	fake_clock_advance(w.loop, 10 * 1000);
	w.fake.before = NULL;
	ca_reset(w.ca);
	fake_clock_advance(w.loop, 10);
	assert_true(ca_ready(w.ca, NULL));
	world_close(&w);
}

static bool
silent(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	reply->outcome = FAKE_HTTP_SILENT;
	return true;
}

/* Clients are not kept waiting while a CA that is down is tried again. */
static void
not_ready_during_the_next_attempt(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.before = silent;
	world_start(&w);
	fake_clock_advance(w.loop, 29 * 1000);
	assert_true(ca_ready(w.ca, NULL));
	fake_clock_advance(w.loop, 5 * 1000);
	assert_refused(&w, ERR_UNREACHABLE, "timeout");
	assert_int_equal(fake_http_open(), 1);
	world_close(&w);
}

/* SIGHUP does not wait for a check that hangs. */
static void
retry_cancels_a_check(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.before = silent;
	world_start(&w);
	fake_clock_advance(w.loop, 1000);
	assert_int_equal(fake_http_open(), 1);
	assert_int_equal(w.fake.requests, 1);
	w.fake.before = NULL;
	for (int i = 0; i < 50; i++)
		ca_reset(w.ca);
	assert_int_equal(fake_http_open(), 0);
	fake_clock_advance(w.loop, 10);
	assert_int_equal(w.fake.registrations, 1);
	assert_string_equal(ca_account_url(w.ca), "https://ca.test/account/1");
	/* What works is left alone. */
	ca_reset(w.ca);
	fake_clock_advance(w.loop, 10);
	assert_int_equal(w.fake.count[FAKE_DIRECTORY], 2);
	world_close(&w);
}

static bool
nonsense(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	fake_http_status(reply, 200, ca->arg);
	return step == FAKE_DIRECTORY;
}

static void
nonsense_directory(void **state)
{
	static const char *const texts[] = {
	    "",
	    "<html>",
	    "{}",
	    "[1]",
	    "{\"newNonce\":\"https://ca.test/n\",\"newAccount\":\"https://ca.test/a\"}",
	    "{\"newNonce\":\"https://ca.test/n\",\"newAccount\":\"https://ca.test/a\","
	    "\"newOrder\":\"http://ca.test/o\"}",
	    "{\"newNonce\":\"https://ca.test/n\",\"newAccount\":\"https://ca.test/a\","
	    "\"newOrder\":\"file:///etc/passwd\"}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct world w;

		world_open(&w);
		w.fake.before = nonsense;
		w.fake.arg = (void *)texts[i];
		world_start(&w);
		fake_clock_advance(w.loop, 100);
		assert_refused(&w, ERR_UPSTREAM, "directory");
		world_close(&w);
	}
}

/* ---- the directory is looked at again ---- */

static void
directory_after_a_day(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	order_good(&w, "a.test");
	assert_int_equal(w.fake.count[FAKE_DIRECTORY], 1);
	fake_clock_advance(w.loop, 25LL * 3600 * 1000);
	assert_int_equal(w.fake.count[FAKE_DIRECTORY], 1);
	order_good(&w, "b.test");
	assert_int_equal(w.fake.count[FAKE_DIRECTORY], 2);
	world_close(&w);
}

static void
profile_offered_later(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.profiles = "classic";
	world_ready(&w);
	fake_clock_advance(w.loop, 3600 * 1000);
	w.fake.profiles = "classic,shortlived";
	order_start_with(&w, &r, "a.test", 0, "shortlived", 60 * 1000);
	order_wait(&w, &r, 1000);
	assert_failed(&r, ERR_CONFIG, "shortlived");
	order_done(&r);
	order_start_with(&w, &r, "a.test", 0, "shortlived", 60 * 1000);
	order_wait(&w, &r, 10 * 1000);
	assert_issued(&r);
	order_done(&r);
	world_close(&w);
}

static void
freed_at_any_moment(void **state)
{
	for (int64_t ms = 0; ms < 600; ms += 13) {
		struct world w;

		world_open(&w);
		w.fake.delay_ms = 50;
		w.fake.before = ms % 2 ? down : NULL;
		world_start(&w);
		fake_clock_advance(w.loop, ms);
		world_close(&w);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_start),
	    cmocka_unit_test(second_start),
	    cmocka_unit_test(no_network_in_new),
	    cmocka_unit_test(key_tightened),
	    cmocka_unit_test(key_damaged),
	    cmocka_unit_test(registration_kept),
	    cmocka_unit_test(registration_damaged),
	    cmocka_unit_test(account_moved),
	    cmocka_unit_test(moved_to_another_ca),
	    cmocka_unit_test(terms),
	    cmocka_unit_test(terms_of_an_old_account),
	    cmocka_unit_test(binding),
	    cmocka_unit_test(contacts),
	    cmocka_unit_test(contacts_not_kept),
	    cmocka_unit_test(contact_refused),
	    cmocka_unit_test(deactivated),
	    cmocka_unit_test(deactivated_while_running),
	    cmocka_unit_test(account_gone),
	    cmocka_unit_test(account_gone_at_once),
	    cmocka_unit_test(account_gone_with_many_orders),
	    cmocka_unit_test(registrations_are_bounded),
	    cmocka_unit_test(down_at_start),
	    cmocka_unit_test(down_while_running),
	    cmocka_unit_test(not_ready_during_the_next_attempt),
	    cmocka_unit_test(retry_cancels_a_check),
	    cmocka_unit_test(nonsense_directory),
	    cmocka_unit_test(directory_after_a_day),
	    cmocka_unit_test(profile_offered_later),
	    cmocka_unit_test(freed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
