/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What another program did in the account's directory: another key or registration, the lock, a key
 * change that was broken off. */
#include <stdlib.h>
#include <string.h>

#include "acme/account_lock.h"
#include "base/file_lock.h"
#include "fake_ca_state.h"
#include "world.h"

/* Made once, for all scenarios. */
static struct key *other;

static int
make_key(void **state)
{
	other = key_generate(KEY_EC256, NULL);
	return other != NULL ? 0 : -1;
}

static int
drop_key(void **state)
{
	key_free(other);
	return 0;
}

static bool
uses(const struct world *w, const struct key *key)
{
	return strcmp(key_thumbprint(ca_key(w->ca)), key_thumbprint(key)) == 0;
}

/* ---- files that are others now ---- */

static void
own_writing_is_no_change(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	order_good(&w, "a.test");
	order_good(&w, "b.test");
	assert_int_equal(w.fake.lookups, 1);
	assert_int_equal(w.fake.count[FAKE_DIRECTORY], 1);
	world_close(&w);
}

/* acme-register --rollover, while we run. */
static void
key_changed(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	order_good(&w, "a.test");
	world_know_key(&w, other);
	world_write_key(&w, KEY_FILE, other);
	order_good(&w, "b.test");
	assert_int_equal(w.events[CA_EVENT_KEY_CHANGED], 1);
	assert_int_equal(w.fake.registrations, 1);
	assert_key_settled(&w);
	/* Once. */
	order_good(&w, "c.test");
	assert_int_equal(w.fake.lookups, 2);
	world_close(&w);
}

/* acme-register --gen-key --force, while we run. */
static void
key_of_no_account(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	world_write_key(&w, KEY_FILE, other);
	order_good(&w, "a.test");
	assert_int_equal(w.fake.registrations, 2);
	assert_int_equal(w.events[CA_EVENT_MOVED] + w.events[CA_EVENT_REGISTERED], 2);
	assert_true(uses(&w, other));
	world_close(&w);
}

/* The order that is in flight when the CA gets a new key is placed again. */
static bool
old_key_refused(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	struct world *w = ca->arg;

	if (step != FAKE_AUTHORIZATION || w->events[CA_EVENT_KEY_CHANGED] > 0)
		return false;
	world_know_key(w, other);
	world_write_key(w, KEY_FILE, other);
	fake_ca_problem(reply, 400, "malformed", "JWS verification error");
	return true;
}

static void
key_changed_in_flight(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	fake_clock_advance(w.loop, 60 * 1000);
	w.fake.before = old_key_refused;
	w.fake.arg = &w;
	order_good(&w, "a.test");
	assert_int_equal(w.events[CA_EVENT_KEY_CHANGED], 1);
	assert_key_settled(&w);
	world_close(&w);
}

static void
key_unusable(void **state)
{
	static const char *const texts[] = {"", "-----BEGIN PRIVATE KEY-----\nAAAA\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct world w;

		world_open(&w);
		world_ready(&w);
		world_write(&w, KEY_FILE, texts[i], 0600);
		order_good(&w, "a.test");
		order_good(&w, "b.test");
		assert_int_equal(w.events[CA_EVENT_TROUBLE], 1);
		assert_non_null(strstr(w.event_text[CA_EVENT_TROUBLE], "stays in use"));
		assert_int_equal(w.events[CA_EVENT_KEY_CHANGED], 0);
		world_close(&w);
	}
}

static void
registration_changed(void **state)
{
	struct world w;
	char *text;

	world_open(&w);
	world_ready(&w);
	world_write(&w, "registration.json", "{\"note\": \"kept\"}", 0600);
	order_good(&w, "a.test");
	assert_int_equal(w.fake.lookups, 2);
	text = world_file(&w, "registration.json");
	assert_non_null(strstr(text, "\"note\": \"kept\""));
	assert_non_null(strstr(text, "https://ca.test/account/1"));
	free(text);
	order_good(&w, "b.test");
	assert_int_equal(w.fake.lookups, 2);
	world_close(&w);
}

/* Nobody waits for the ten minutes to pass. */
static void
mended_while_refused(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.deactivated = true;
	world_start(&w);
	fake_clock_advance(w.loop, 100);
	assert_false(ca_ready(w.ca, NULL));
	w.fake.deactivated = false;
	world_write_key(&w, KEY_FILE, other);
	assert_true(ca_ready(w.ca, NULL));
	order_good(&w, "a.test");
	world_close(&w);
}

/* ---- the lock ---- */

static void
locked_for_a_moment(void **state)
{
	struct world w;
	struct result r;
	int lock;

	world_open(&w);
	world_ready(&w);
	assert_true(account_lock(w.dir, &lock, NULL));
	/* Without account.pem.new it concerns nobody. */
	order_good(&w, "a.test");
	world_write_key(&w, KEY_FILE_PENDING, other);
	order_start(&w, &r, "b.test");
	fake_clock_advance(w.loop, 5 * 1000);
	assert_false(r.done);
	assert_int_equal(w.events[CA_EVENT_TROUBLE], 1);
	assert_non_null(strstr(w.event_text[CA_EVENT_TROUBLE], "another program"));
	assert_int_equal(w.fake.lookups, 1);
	world_know_key(&w, other);
	assert_true(key_file_finish(w.dir, NULL));
	file_unlock(&lock);
	order_wait(&w, &r, 1000);
	assert_issued(&r);
	assert_key_settled(&w);
	order_done(&r);
	world_close(&w);
}

static void
locked_for_long(void **state)
{
	struct world w;
	struct result r;
	int lock;

	world_open(&w);
	world_ready(&w);
	assert_true(account_lock(w.dir, &lock, NULL));
	world_write_key(&w, KEY_FILE_PENDING, other);
	order_start(&w, &r, "b.test");
	order_wait(&w, &r, 62 * 1000);
	assert_failed(&r, ERR_BUSY, "another program");
	order_done(&r);
	/* The next ones need not wait that long. */
	order_start(&w, &r, "b.test");
	order_wait(&w, &r, 10);
	assert_failed(&r, ERR_BUSY, "another program");
	order_done(&r);
	assert_int_equal(w.events[CA_EVENT_FAILED], 1);
	file_unlock(&lock);
	fake_clock_advance(w.loop, 10 * 1000);
	order_good(&w, "b.test");
	assert_key_settled(&w);
	world_close(&w);
}

static void
registration_not_written_while_locked(void **state)
{
	struct world w;
	int lock;

	world_open(&w);
	assert_true(account_lock(w.dir, &lock, NULL));
	world_write_key(&w, KEY_FILE, other);
	world_ready(&w);
	assert_int_equal(w.events[CA_EVENT_TROUBLE], 1);
	assert_false(world_has(&w, "registration.json"));
	order_good(&w, "a.test");
	file_unlock(&lock);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_true(world_has(&w, "registration.json"));
	world_close(&w);
}

/* ---- account.pem.new ---- */

static void
pending_finished(void **state)
{
	struct world w;
	struct key *old;
	char *before, *after;

	world_open(&w);
	world_ready(&w);
	before = world_file(&w, KEY_FILE);
	world_write_key(&w, KEY_FILE_PENDING, other);
	world_know_key(&w, other);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_KEY_FINISHED], 1);
	assert_key_settled(&w);
	assert_true(uses(&w, other));
	after = world_file(&w, KEY_FILE_OLD);
	assert_string_equal(before, after);
	old = key_file_load(w.dir, KEY_FILE_OLD, NULL);
	assert_non_null(old);
	assert_int_equal(w.fake.registrations, 1);
	order_good(&w, "a.test");
	key_free(old);
	free(before);
	free(after);
	world_close(&w);
}

static void
pending_dropped(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	world_write_key(&w, KEY_FILE_PENDING, other);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_KEY_DROPPED], 1);
	assert_key_settled(&w);
	assert_false(uses(&w, other));
	assert_false(world_has(&w, KEY_FILE_UNUSED));
	assert_false(world_has(&w, KEY_FILE_OLD));
	order_good(&w, "a.test");
	world_close(&w);
}

/* The same found by a daemon that runs. */
static void
pending_while_running(void **state)
{
	for (int known = 0; known < 2; known++) {
		struct world w;

		world_open(&w);
		world_ready(&w);
		world_write_key(&w, KEY_FILE_PENDING, other);
		if (known)
			world_know_key(&w, other);
		order_good(&w, "a.test");
		assert_int_equal(w.events[CA_EVENT_KEY_FINISHED], known);
		assert_int_equal(w.events[CA_EVENT_KEY_DROPPED], !known);
		assert_key_settled(&w);
		world_close(&w);
	}
}

/* Killed between the copy and the rename: the copy is made again. */
static void
pending_half_finished(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	world_write_key(&w, KEY_FILE_PENDING, other);
	assert_true(key_file_keep_old(w.dir, NULL));
	world_know_key(&w, other);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_KEY_FINISHED], 1);
	assert_key_settled(&w);
	world_close(&w);
}

/* Another CA is asked than the one it was begun at: nothing is thrown away. */
static void
pending_known_nowhere(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	world_write_key(&w, KEY_FILE_PENDING, other);
	fake_ca_forget(&w.fake);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_KEY_DROPPED], 1);
	assert_int_equal(w.events[CA_EVENT_REGISTERED], 1);
	assert_true(world_has(&w, KEY_FILE_UNUSED));
	assert_key_settled(&w);
	world_close(&w);
}

/* Both keys have an account: the present one stays, and nothing is thrown away. */
static void
pending_of_another_account(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	world_add_account(&w, other);
	world_write_key(&w, KEY_FILE_PENDING, other);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_KEY_DROPPED], 1);
	assert_true(world_has(&w, KEY_FILE_UNUSED));
	assert_key_settled(&w);
	world_close(&w);
}

/* The account's URL has changed meanwhile, and the CA knows the new key alone. */
static void
pending_moved(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	world_write_key(&w, KEY_FILE_PENDING, other);
	world_know_key(&w, other);
	fake_ca_move_accounts(&w.fake);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_KEY_FINISHED], 1);
	assert_key_settled(&w);
	assert_int_equal(w.fake.registrations, 1);
	order_good(&w, "a.test");
	world_close(&w);
}

static void
pending_is_no_key(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	world_write(&w, KEY_FILE_PENDING, "-----BEGIN PRIVATE KEY-----\n", 0600);
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_TROUBLE], 1);
	assert_true(world_has(&w, KEY_FILE_UNUSED));
	assert_key_settled(&w);
	order_good(&w, "a.test");
	world_close(&w);
}

static bool
unsure(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_NEW_ACCOUNT)
		return false;
	fake_ca_problem(reply, 500, "serverInternal", "out of order");
	return true;
}

/* As long as the CA does not say, nothing is done at all, and the lock is free. */
static void
pending_and_no_answer(void **state)
{
	struct world w;
	struct result r;
	int lock;

	world_open(&w);
	world_ready(&w);
	world_write_key(&w, KEY_FILE_PENDING, other);
	world_know_key(&w, other);
	w.fake.before = unsure;
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 10 * 1000);
	assert_failed(&r, ERR_UPSTREAM, "out of order");
	order_done(&r);
	assert_true(world_has(&w, KEY_FILE_PENDING));
	assert_int_equal(w.fake.orders_made, 0);
	assert_true(account_lock(w.dir, &lock, NULL));
	file_unlock(&lock);
	w.fake.before = NULL;
	fake_clock_advance(w.loop, 5 * 1000);
	order_good(&w, "a.test");
	assert_key_settled(&w);
	world_close(&w);
}

static void
freed_at_any_moment(void **state)
{
	for (int64_t ms = 0; ms < 500; ms += 13) {
		struct world w;

		world_open(&w);
		w.fake.delay_ms = 50;
		world_write_key(&w, KEY_FILE_PENDING, other);
		world_add_account(&w, other);
		world_start(&w);
		fake_clock_advance(w.loop, ms);
		world_restart(&w);
		fake_clock_advance(w.loop, 1000);
		assert_true(uses(&w, other));
		assert_key_settled(&w);
		world_close(&w);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(own_writing_is_no_change),
	    cmocka_unit_test(key_changed),
	    cmocka_unit_test(key_of_no_account),
	    cmocka_unit_test(key_changed_in_flight),
	    cmocka_unit_test(key_unusable),
	    cmocka_unit_test(registration_changed),
	    cmocka_unit_test(mended_while_refused),
	    cmocka_unit_test(locked_for_a_moment),
	    cmocka_unit_test(locked_for_long),
	    cmocka_unit_test(registration_not_written_while_locked),
	    cmocka_unit_test(pending_finished),
	    cmocka_unit_test(pending_dropped),
	    cmocka_unit_test(pending_while_running),
	    cmocka_unit_test(pending_half_finished),
	    cmocka_unit_test(pending_known_nowhere),
	    cmocka_unit_test(pending_of_another_account),
	    cmocka_unit_test(pending_moved),
	    cmocka_unit_test(pending_is_no_key),
	    cmocka_unit_test(pending_and_no_answer),
	    cmocka_unit_test(freed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
