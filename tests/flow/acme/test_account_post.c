/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an operator does with the account: look at it, change contacts, agree, deactivate. */
#include <stdlib.h>
#include <string.h>

#include "acme/account_post.h"
#include "base/clock.h"
#include "codec/acme_json.h"
#include "ev/op.h"
#include "world.h"

struct posting {
	struct op *op;
	bool done;
	enum acme_status status;
	size_t contacts;
	struct err e;
};

static void
on_done(void *arg, const struct acme_account_object *object, const struct err *e)
{
	struct posting *p = arg;

	assert_false(p->done);
	assert_null(p->op);
	assert_true((object != NULL) == (e == NULL));
	p->done = true;
	if (e != NULL) {
		p->e = *e;
		return;
	}
	p->status = object->status;
	p->contacts = json_array_count(json_member(object->body, "contact"));
}

static int64_t
soon(void)
{
	return clock_mono_ms() + 20 * 1000;
}

static void
assert_file(struct world *w, const char *text)
{
	char *file = world_file(w, "registration.json");

	if (strstr(file, text) == NULL)
		fail_msg("no %s in %s", text, file);
	free(file);
}

static void
fetched(void **state)
{
	struct world w;
	struct posting p = {0};

	world_open(&w);
	world_start(&w);
	acme_account_fetch_start(w.ca, soon(), on_done, &p, &p.op);
	assert_false(p.done);
	assert_true(fake_clock_until(w.loop, &p.done, 5000));
	assert_int_equal(p.e.kind, ERR_NONE);
	assert_int_equal(p.status, ACME_STATUS_VALID);
	assert_string_equal(w.fake.last_payload[FAKE_ACCOUNT], "");
	world_close(&w);
}

static void
contacts(void **state)
{
	char *two[] = {(char *)"mailto:a@b.test", (char *)"mailto:c@d.test"};
	struct world w;
	struct posting p = {0};

	world_open(&w);
	world_ready(&w);
	acme_account_contacts_start(w.ca, two, 2, soon(), on_done, &p, &p.op);
	assert_true(fake_clock_until(w.loop, &p.done, 5000));
	assert_int_equal(p.e.kind, ERR_NONE);
	assert_int_equal(p.contacts, 2);
	assert_string_equal(w.fake.last_payload[FAKE_ACCOUNT],
	    "{\"contact\":[\"mailto:a@b.test\",\"mailto:c@d.test\"]}");
	assert_file(&w, "mailto:c@d.test");
	p.done = false;
	acme_account_contacts_start(w.ca, NULL, 0, soon(), on_done, &p, &p.op);
	assert_true(fake_clock_until(w.loop, &p.done, 5000));
	assert_string_equal(w.fake.last_payload[FAKE_ACCOUNT], "{\"contact\":[]}");
	assert_file(&w, "\"contact\": []");
	world_close(&w);
}

static bool
refuse(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_ACCOUNT)
		return false;
	fake_ca_problem(reply, 400, "invalidContact", "that is no address");
	return true;
}

static void
contacts_refused(void **state)
{
	char *one[] = {(char *)"mailto:a@b.test"};
	struct world w;
	struct posting p = {0};

	world_open(&w);
	world_ready(&w);
	w.fake.before = refuse;
	acme_account_contacts_start(w.ca, one, 1, soon(), on_done, &p, &p.op);
	assert_true(fake_clock_until(w.loop, &p.done, 5000));
	assert_int_equal(p.e.kind, ERR_ACCOUNT);
	assert_non_null(strstr(p.e.detail, "that is no address"));
	assert_file(&w, "\"contact\": []");
	world_close(&w);
}

static void
agreed(void **state)
{
	struct world w;
	struct posting p = {0};

	world_open(&w);
	world_ready(&w);
	acme_account_agree_start(w.ca, soon(), on_done, &p, &p.op);
	assert_true(fake_clock_until(w.loop, &p.done, 5000));
	assert_int_equal(p.e.kind, ERR_NONE);
	assert_string_equal(
	    w.fake.last_payload[FAKE_NEW_ACCOUNT], "{\"termsOfServiceAgreed\":true}");
	assert_int_equal(w.fake.registrations, 1);
	world_close(&w);
}

static void
deactivated(void **state)
{
	struct world w;
	struct result r;
	struct posting p = {0};

	world_open(&w);
	world_ready(&w);
	acme_account_deactivate_start(w.ca, soon(), on_done, &p, &p.op);
	assert_true(fake_clock_until(w.loop, &p.done, 5000));
	assert_int_equal(p.e.kind, ERR_NONE);
	assert_int_equal(p.status, ACME_STATUS_DEACTIVATED);
	assert_file(&w, "\"status\": \"deactivated\"");
	world_restart(&w);
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 5000);
	assert_failed(&r, ERR_ACCOUNT, "deactivated");
	order_done(&r);
	world_close(&w);
}

static bool
silent(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	reply->outcome = FAKE_HTTP_SILENT;
	return step == FAKE_ACCOUNT || step == FAKE_DIRECTORY;
}

static void
too_late(void **state)
{
	for (int ready = 0; ready < 2; ready++) {
		struct world w;
		struct posting p = {0};

		world_open(&w);
		if (ready)
			world_ready(&w);
		w.fake.before = silent;
		if (!ready)
			world_start(&w);
		acme_account_deactivate_start(w.ca, soon(), on_done, &p, &p.op);
		assert_true(fake_clock_until(w.loop, &p.done, 21 * 1000));
		assert_int_equal(p.e.kind, ERR_TIMEOUT);
		world_close(&w);
	}
}

static void
cancelled_at_any_moment(void **state)
{
	for (int64_t ms = 0; ms < 400; ms += 13) {
		struct world w;
		struct posting p = {0};

		world_open(&w);
		w.fake.delay_ms = 50;
		world_start(&w);
		acme_account_fetch_start(w.ca, soon(), on_done, &p, &p.op);
		fake_clock_advance(w.loop, ms);
		op_cancel(&p.op);
		fake_clock_advance(w.loop, 1000);
		assert_true(!p.done || ms > 150);
		world_close(&w);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fetched),
	    cmocka_unit_test(contacts),
	    cmocka_unit_test(contacts_refused),
	    cmocka_unit_test(agreed),
	    cmocka_unit_test(deactivated),
	    cmocka_unit_test(too_late),
	    cmocka_unit_test(cancelled_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
