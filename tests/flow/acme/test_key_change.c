/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Another key for the account: whatever goes wrong, and whenever, afterwards
 * account.pem is the key the CA knows, or account.pem.new is there and says that
 * it is not certain.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/account_lock.h"
#include "acme/key_change.h"
#include "base/clock.h"
#include "base/file_lock.h"
#include "codec/json.h"
#include "ev/op.h"
#include "fake_ca_state.h"
#include "world.h"

struct change {
	struct op *op;
	bool done;
	struct err e;
	char thumbprint[64]; /* of the new key */
};

static void
on_done(void *arg, const struct err *e)
{
	struct change *c = arg;

	assert_false(c->done);
	assert_null(c->op);
	c->done = true;
	if (e != NULL)
		c->e = *e;
}

static void
change_start(struct world *w, struct change *c)
{
	struct key *key = key_generate(KEY_EC256, NULL);

	*c = (struct change){0};
	strcpy(c->thumbprint, key_thumbprint(key));
	acme_key_change_start(w->ca, key, clock_mono_ms() + 20 * 1000, on_done, c, &c->op);
	assert_false(c->done);
}

static bool
took(const struct world *w, const struct change *c)
{
	return strcmp(key_thumbprint(ca_key(w->ca)), c->thumbprint) == 0;
}

static void
changed(void **state)
{
	struct world w;
	struct change c;
	char *before, *old, *registration;

	world_open(&w);
	world_start(&w);
	before = world_file(&w, KEY_FILE);
	change_start(&w, &c);
	assert_true(fake_clock_until(w.loop, &c.done, 5000));
	assert_int_equal(c.e.kind, ERR_NONE);
	assert_int_equal(w.fake.key_changes, 1);
	assert_true(took(&w, &c));
	assert_key_settled(&w);
	old = world_file(&w, KEY_FILE_OLD);
	assert_string_equal(before, old);
	registration = world_file(&w, "registration.json");
	assert_non_null(strstr(registration, json_string(key_jwk(ca_key(w.ca)), "x")));
	assert_non_null(strstr(registration, "https://ca.test/account/1"));
	order_good(&w, "a.test");
	/* And once more, after a restart. */
	world_restart(&w);
	change_start(&w, &c);
	assert_true(fake_clock_until(w.loop, &c.done, 5000));
	assert_int_equal(c.e.kind, ERR_NONE);
	assert_key_settled(&w);
	assert_int_equal(w.fake.registrations, 1);
	order_good(&w, "b.test");
	free(before);
	free(old);
	free(registration);
	world_close(&w);
}

/* ---- each way the request can fail ---- */

enum mode {
	REFUSED,
	SILENT,
	STALE,
	BROKEN,
	MALFORMED,
	CONFLICT,
	BUSY,
	BAD_NONCE,
	UNAUTHORIZED,
	LIE,
	MODES
};

struct plan {
	enum mode mode;
	bool acted;
	unsigned times;
};

static void
spoil(enum mode mode, struct fake_http_reply *reply)
{
	switch (mode) {
	case REFUSED:
		reply->outcome = FAKE_HTTP_REFUSED;
		break;
	case SILENT:
		reply->outcome = FAKE_HTTP_SILENT;
		break;
	case STALE:
		reply->outcome = FAKE_HTTP_STALE;
		break;
	case BROKEN:
		fake_http_status(reply, 502, "<html>Bad Gateway</html>");
		break;
	case MALFORMED:
		fake_ca_problem(reply, 400, "malformed", "no");
		break;
	case CONFLICT:
		fake_ca_problem(reply, 409, "malformed", "the key is in use");
		break;
	case BUSY:
		fake_http_status(reply, 503, NULL);
		fake_http_header(reply, "Retry-After", "2");
		break;
	case BAD_NONCE:
		reply->header_count = 0;
		fake_ca_problem(reply, 400, "badNonce", "no");
		break;
	case UNAUTHORIZED:
		fake_ca_problem(reply, 401, "unauthorized", "no");
		break;
	case LIE:
		fake_http_status(reply, 200, "<html>We are back soon</html>");
		break;
	case MODES:
		break;
	}
}

static bool
spoil_before(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	struct plan *p = ca->arg;

	if (step != FAKE_KEY_CHANGE || p->acted || p->times == 0)
		return false;
	p->times--;
	spoil(p->mode, reply);
	return true;
}

static void
spoil_after(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	struct plan *p = ca->arg;

	if (step != FAKE_KEY_CHANGE || !p->acted || p->times == 0)
		return;
	p->times--;
	spoil(p->mode, reply);
}

static void
run(struct plan p)
{
	struct world w;
	struct change c;
	bool known;

	world_open(&w);
	w.fake.before = spoil_before;
	w.fake.after = spoil_after;
	w.fake.arg = &p;
	world_ready(&w);
	change_start(&w, &c);
	assert_true(fake_clock_until(w.loop, &c.done, 90 * 1000));
	known = w.fake.key_changes > 0;
	if (known != took(&w, &c) || known != (c.e.kind == ERR_NONE))
		fail_msg("mode %d, acted %d: known %d: %s", p.mode, p.acted, known, c.e.detail);
	assert_true(known || c.e.detail[0] != '\0');
	assert_key_settled(&w);
	assert_int_equal(w.fake.registrations, 1);
	order_good(&w, "a.test");
	world_close(&w);
}

static void
request_fails(void **state)
{
	for (int mode = 0; mode < MODES; mode++)
		for (unsigned times = 1; times <= 100; times += 99)
			run((struct plan){.mode = mode, .times = times});
}

static void
answer_is_lost(void **state)
{
	for (int mode = 0; mode < MODES; mode++)
		run((struct plan){.mode = mode, .acted = true, .times = 1});
}

/* ---- it stays unknown ---- */

static bool
gone_after_key_change(struct fake_ca *ca, enum fake_step step,
    const struct fake_http_request *request, struct fake_http_reply *reply)
{
	if (ca->key_changes == 0)
		return false;
	reply->outcome = FAKE_HTTP_REFUSED;
	return true;
}

static void
lose_answer(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step == FAKE_KEY_CHANGE)
		reply->outcome = FAKE_HTTP_SILENT;
}

static void
not_known_yet(void **state)
{
	struct world w;
	struct change c;

	world_open(&w);
	world_ready(&w);
	w.fake.before = gone_after_key_change;
	w.fake.after = lose_answer;
	change_start(&w, &c);
	assert_true(fake_clock_until(w.loop, &c.done, 90 * 1000));
	assert_non_null(strstr(c.e.detail, "not known yet"));
	assert_non_null(strstr(c.e.detail, KEY_FILE_PENDING));
	assert_true(world_has(&w, KEY_FILE_PENDING));
	assert_false(took(&w, &c));
	w.fake.before = NULL;
	w.fake.after = NULL;
	world_restart(&w);
	fake_clock_advance(w.loop, 100);
	assert_int_equal(w.events[CA_EVENT_KEY_FINISHED], 1);
	assert_true(took(&w, &c));
	assert_key_settled(&w);
	world_close(&w);
}

/* As when the program is killed, but that files stay as they are. */
static void
cancelled_at_any_moment(void **state)
{
	bool kept = false, new = false;

	for (int64_t ms = 0; ms < 500; ms += 13) {
		struct world w;
		struct change c;

		world_open(&w);
		w.fake.delay_ms = 50;
		world_start(&w);
		change_start(&w, &c);
		fake_clock_advance(w.loop, ms);
		op_cancel(&c.op);
		world_restart(&w);
		fake_clock_advance(w.loop, 1000);
		assert_key_settled(&w);
		assert_int_equal(took(&w, &c), w.fake.key_changes > 0);
		kept = kept || !took(&w, &c);
		new = new || (took(&w, &c) && w.events[CA_EVENT_KEY_FINISHED] > 0);
		order_good(&w, "a.test");
		world_close(&w);
	}
	assert_true(kept && new);
}

/* The account that stays makes it good, without a restart. */
static void
cancelled_and_used_on(void **state)
{
	struct world w;
	struct change c;

	world_open(&w);
	w.fake.delay_ms = 50;
	world_ready(&w);
	change_start(&w, &c);
	fake_clock_advance(w.loop, 40);
	assert_true(world_has(&w, KEY_FILE_PENDING));
	op_cancel(&c.op);
	order_good(&w, "a.test");
	assert_key_settled(&w);
	world_close(&w);
}

/* ---- what keeps it from beginning ---- */

static void
waits_for_the_lock(void **state)
{
	struct world w;
	struct change c;
	int lock;

	world_open(&w);
	world_ready(&w);
	assert_true(account_lock(w.dir, &lock, NULL));
	change_start(&w, &c);
	fake_clock_advance(w.loop, 3000);
	assert_false(c.done);
	assert_false(world_has(&w, KEY_FILE_PENDING));
	file_unlock(&lock);
	assert_true(fake_clock_until(w.loop, &c.done, 1000));
	assert_int_equal(c.e.kind, ERR_NONE);
	assert_true(account_lock(w.dir, &lock, NULL));
	change_start(&w, &c);
	assert_true(fake_clock_until(w.loop, &c.done, 21 * 1000));
	assert_int_equal(c.e.kind, ERR_BUSY);
	assert_int_equal(w.fake.key_changes, 1);
	file_unlock(&lock);
	world_close(&w);
}

static bool
no_key_change(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_DIRECTORY)
		return false;
	fake_http_status(reply, 200,
	    "{\"newNonce\":\"https://ca.test/new-nonce\",\"newAccount\":"
	    "\"https://ca.test/new-account\",\"newOrder\":\"https://ca.test/new-order\"}");
	return true;
}

static void
not_offered(void **state)
{
	struct world w;
	struct change c;

	world_open(&w);
	w.fake.before = no_key_change;
	world_ready(&w);
	change_start(&w, &c);
	assert_true(fake_clock_until(w.loop, &c.done, 1000));
	assert_int_equal(c.e.kind, ERR_ACCOUNT);
	assert_non_null(strstr(c.e.detail, "no change of keys"));
	assert_key_settled(&w);
	world_close(&w);
}

static void
account_not_usable(void **state)
{
	struct world w;
	struct change c;

	world_open(&w);
	w.fake.deactivated = true;
	world_start(&w);
	change_start(&w, &c);
	assert_true(fake_clock_until(w.loop, &c.done, 1000));
	assert_int_equal(c.e.kind, ERR_ACCOUNT);
	assert_false(world_has(&w, KEY_FILE_PENDING));
	world_close(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(changed),
	    cmocka_unit_test(request_fails),
	    cmocka_unit_test(answer_is_lost),
	    cmocka_unit_test(not_known_yet),
	    cmocka_unit_test(cancelled_at_any_moment),
	    cmocka_unit_test(cancelled_and_used_on),
	    cmocka_unit_test(waits_for_the_lock),
	    cmocka_unit_test(not_offered),
	    cmocka_unit_test(account_not_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
