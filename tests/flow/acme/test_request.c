/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every request shares: nonces, stale connections, busy CAs, the bucket, and when polls come.
 */
#include <string.h>

#include "base/clock.h"
#include "world.h"

/* ---- nonces ---- */

/* Each request's share of bad luck stays below ten. */
static bool
bad_nonce(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_DIRECTORY && step != FAKE_NEW_NONCE && ca->requests % 10 != 0)
		ca->bad_nonces = 1;
	return false;
}

static void
nonce_storm(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.before = bad_nonce;
	world_ready(&w);
	order_good(&w, "a.test");
	assert_true(w.fake.bad_nonce_answers > 20);
	world_close(&w);
}

static void
nonces_always_bad(void **state)
{
	struct world w;
	struct result r;
	unsigned before;

	world_open(&w);
	world_ready(&w);
	before = w.fake.requests;
	w.fake.bad_nonces = 100000;
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 60 * 1000));
	assert_failed(&r, ERR_UPSTREAM, "badNonce");
	assert_int_equal(w.fake.requests - before, 11);
	order_done(&r);
	world_close(&w);
}

/* The refusal brings the nonce for the next try, however stale the pool is. */
static void
stale_pool(void **state)
{
	struct world w;
	struct result r[8];

	world_open(&w);
	w.fake.delay_ms = 20;
	world_ready(&w);
	for (size_t i = 0; i < 8; i++)
		order_start(&w, &r[i], "a.test");
	for (size_t i = 0; i < 8; i++) {
		order_wait(&w, &r[i], 60 * 1000);
		assert_issued(&r[i]);
		order_done(&r[i]);
	}
	/* As after a restart that kept the accounts. */
	w.fake.bad_nonces = 3;
	order_good(&w, "b.test");
	world_close(&w);
}

static bool
no_nonce_at_all(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_NEW_NONCE)
		return false;
	fake_http_status(reply, 200, NULL);
	return true;
}

static void
head_without_nonce(void **state)
{
	struct world w;
	struct err e;

	world_open(&w);
	w.fake.before = no_nonce_at_all;
	world_start(&w);
	fake_clock_advance(w.loop, 500);
	assert_false(ca_ready(w.ca, &e));
	assert_int_equal(e.kind, ERR_UPSTREAM);
	w.fake.before = NULL;
	fake_clock_advance(w.loop, 1000);
	assert_true(ca_ready(w.ca, &e));
	world_close(&w);
}

static bool
silent_nonces(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	reply->outcome = FAKE_HTTP_SILENT;
	return step == FAKE_NEW_NONCE;
}

/* A fetch that hangs is not what the next request waits for; one that is still wanted stays. */
static void
nonce_nobody_waits_for(void **state)
{
	struct world w;
	struct result r[2];

	world_open(&w);
	w.fake.no_nonces = true;
	world_ready(&w);
	w.fake.before = silent_nonces;
	order_start(&w, &r[0], "a.test");
	order_start(&w, &r[1], "b.test");
	fake_clock_advance(w.loop, 100);
	assert_int_equal(fake_http_open(), 2);
	order_done(&r[0]);
	assert_int_equal(fake_http_open(), 2);
	order_done(&r[1]);
	assert_int_equal(fake_http_open(), 0);
	w.fake.before = NULL;
	order_start(&w, &r[0], "a.test");
	assert_true(order_wait(&w, &r[0], 5 * 1000));
	assert_issued(&r[0]);
	order_done(&r[0]);
	world_close(&w);
}

/* 30 orders at once need 30 nonces, but not 30 HEADs at a time. */
static void
nonces_for_many(void **state)
{
	struct world w;
	struct result r[30];

	world_open(&w);
	w.fake.delay_ms = 50;
	world_ready(&w);
	for (size_t i = 0; i < 30; i++)
		order_start(&w, &r[i], "a.test,b.test");
	fake_clock_advance(w.loop, 0);
	assert_true(fake_http_open() <= 6);
	for (size_t i = 0; i < 30; i++) {
		order_wait(&w, &r[i], 60 * 1000);
		assert_issued(&r[i]);
		order_done(&r[i]);
	}
	world_close(&w);
}

/* ---- connections ---- */

static bool
stale_once(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (request->fresh)
		return false;
	reply->outcome = FAKE_HTTP_STALE;
	return true;
}

/* Every single request meets a closed connection, and is sent once more, newly signed. */
static void
stale_connections(void **state)
{
	struct world w;

	world_open(&w);
	w.fake.before = stale_once;
	world_ready(&w);
	order_good(&w, "a.test");
	world_close(&w);
}

static bool
stale_always(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	reply->outcome = FAKE_HTTP_STALE;
	return step == FAKE_NEW_ORDER;
}

static void
stale_twice(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.before = stale_always;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 60 * 1000));
	assert_failed(&r, ERR_UNREACHABLE, "connection closed");
	assert_int_equal(w.fake.count[FAKE_NEW_ORDER], 2);
	order_done(&r);
	world_close(&w);
}

/* ---- 429 and 503 ---- */

struct busy {
	enum fake_step step;
	int status;
	unsigned times;
	int retry_after; /* below 0: none */
};

static bool
busy(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	struct busy *b = ca->arg;

	if (step != b->step || b->times == 0)
		return false;
	b->times--;
	if (b->status == 429)
		fake_ca_problem(reply, 429, "rateLimited", "slow down, other.example");
	else
		fake_http_status(reply, b->status, "busy");
	if (b->retry_after >= 0)
		fake_http_header(reply, "Retry-After", "%d", b->retry_after);
	return true;
}

/* What fits into the request's time is waited for. */
static void
busy_for_a_moment(void **state)
{
	static const enum fake_step steps[] = {
	    FAKE_NEW_ORDER, FAKE_CHALLENGE, FAKE_FINALIZE, FAKE_CERTIFICATE, FAKE_AUTHORIZATION};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct world w;
		struct busy b = {steps[i], i % 2 ? 503 : 429, 2, 5};
		int64_t before;

		world_open(&w);
		world_ready(&w);
		w.fake.before = busy;
		w.fake.arg = &b;
		before = clock_mono_ms();
		order_good(&w, "a.test");
		assert_true(clock_mono_ms() - before >= 10 * 1000);
		assert_int_equal(b.times, 0);
		world_close(&w);
	}
}

/* What does not is told, and new orders wait: the text names nobody else's names. */
static void
pause_of_new_orders(void **state)
{
	struct world w;
	struct result r;
	struct busy b = {FAKE_NEW_ORDER, 429, 1, 300};
	struct err e;

	world_open(&w);
	world_ready(&w);
	w.fake.before = busy;
	w.fake.arg = &b;
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 1000);
	assert_failed(&r, ERR_RATE_LIMITED, "other.example");
	assert_int_equal(r.e.retry_after, 300);
	assert_int_equal(w.events[CA_EVENT_PAUSED], 1);
	assert_null(strstr(w.event_text[CA_EVENT_PAUSED], "other.example"));
	assert_false(r.e.told);
	assert_false(ca_ready(w.ca, &e));
	assert_int_equal(e.kind, ERR_RATE_LIMITED);
	assert_in_range(e.retry_after, 290, 300);
	assert_true(e.told);
	assert_null(strstr(e.detail, "other.example"));
	fake_clock_advance(w.loop, 300 * 1000);
	assert_true(ca_ready(w.ca, &e));
	order_done(&r);
	world_close(&w);
}

/* As long as the CA says, if that can be meant. */
static void
long_pause(void **state)
{
	static const struct {
		int retry_after;
		int64_t pause;
	} rows[] = {{2 * 86400, 2 * 86400}, {2000000000, 7 * 86400}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w;
		struct result r;
		struct busy b = {FAKE_NEW_ORDER, 429, 1, rows[i].retry_after};
		struct err e;

		world_open(&w);
		world_ready(&w);
		w.fake.before = busy;
		w.fake.arg = &b;
		order_start(&w, &r, "a.test");
		order_wait(&w, &r, 1000);
		fake_clock_advance(w.loop, (rows[i].pause - 60) * 1000);
		assert_false(ca_ready(w.ca, &e));
		assert_in_range(e.retry_after, 50, 60);
		fake_clock_advance(w.loop, 60 * 1000);
		assert_true(ca_ready(w.ca, &e));
		order_done(&r);
		world_close(&w);
	}
}

static void
reset_ends_a_pause(void **state)
{
	struct world w;
	struct result r;
	struct busy b = {FAKE_NEW_ORDER, 503, 1, 300};
	struct err e;

	world_open(&w);
	world_ready(&w);
	w.fake.before = busy;
	w.fake.arg = &b;
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 1000);
	assert_failed(&r, ERR_UPSTREAM, "503");
	assert_false(ca_ready(w.ca, &e));
	ca_reset(w.ca);
	assert_true(ca_ready(w.ca, &e));
	order_done(&r);
	world_close(&w);
}

/* Without Retry-After nobody said that trying again makes sense. */
static void
busy_without_a_time(void **state)
{
	struct world w;
	struct result r;
	struct busy b = {FAKE_FINALIZE, 503, 1, -1};
	struct err e;

	world_open(&w);
	world_ready(&w);
	w.fake.before = busy;
	w.fake.arg = &b;
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 10 * 1000);
	assert_failed(&r, ERR_UPSTREAM, "503");
	assert_true(ca_ready(w.ca, &e));
	order_done(&r);
	world_close(&w);
}

/* A busy CA only delays a poll, and other new orders are not kept from it. */
static void
busy_on_polls(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct world w;
		struct result r;
		struct busy b = {FAKE_ORDER, i == 0 ? 503 : 429, 6, i == 0 ? 3 : -1};
		struct err e;

		world_open(&w);
		world_ready(&w);
		w.fake.before = busy;
		w.fake.arg = &b;
		order_start(&w, &r, "a.test");
		order_wait(&w, &r, 2 * 1000);
		assert_false(r.done);
		assert_true(ca_ready(w.ca, &e));
		order_wait(&w, &r, 60 * 1000);
		assert_issued(&r);
		order_done(&r);
		world_close(&w);
	}
}

/* ---- when polls come ---- */

/* Times of the polls of one resource since it began. */
struct polls {
	enum fake_step step;
	int64_t at[200];
	size_t count;
};

static bool
note_poll(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	struct polls *p = ca->arg;

	if (step == p->step && p->count < 200)
		p->at[p->count++] = clock_mono_ms();
	return false;
}

static void
polls_run(struct world *w, struct polls *p, int64_t ms)
{
	struct result r;

	w->fake.before = note_poll;
	w->fake.arg = p;
	world_ready(w);
	order_start_with(w, &r, "a.test", 0, NULL, ms);
	assert_true(order_wait(w, &r, ms + 1));
	assert_int_equal(r.e.kind, ERR_TIMEOUT);
	order_done(&r);
	world_close(w);
}

static void
polls_double(void **state)
{
	static const int64_t wanted[] = {250, 500, 1000, 2000, 4000, 5000, 5000};
	struct world w;
	struct polls p = {.step = FAKE_ORDER};

	world_open(&w);
	w.fake.processing_polls = 1000;
	w.fake.no_authorizations = true;
	w.fake.ready = true;
	polls_run(&w, &p, 40 * 1000);
	assert_true(p.count > 7);
	for (size_t i = 0; i + 1 < 7; i++)
		assert_int_equal(p.at[i + 1] - p.at[i], wanted[i + 1]);
}

static void
polls_fast_on_loopback(void **state)
{
	struct world w;
	struct polls p = {.step = FAKE_ORDER};

	world_open_at(&w, "http://127.0.0.1:14000", "http-01");
	w.fake.processing_polls = 1000;
	w.fake.ready = true;
	polls_run(&w, &p, 4 * 1000);
	assert_int_equal(p.at[1] - p.at[0], 40);
	assert_int_equal(p.at[2] - p.at[1], 80);
}

static void
polls_jitter(void **state)
{
	struct world w;
	struct polls p = {.step = FAKE_ORDER};

	world_open(&w);
	fake_random_set(50);
	w.fake.processing_polls = 1000;
	w.fake.ready = true;
	polls_run(&w, &p, 4 * 1000);
	assert_int_equal(p.at[1] - p.at[0], 550);
}

static void
retry_after_is_a_floor(void **state)
{
	for (int date = 0; date < 2; date++) {
		struct world w;
		struct polls p = {.step = FAKE_ORDER};

		world_open(&w);
		w.fake.processing_polls = 1000;
		w.fake.ready = true;
		w.fake.retry_after[FAKE_ORDER] = 7;
		w.fake.retry_after[FAKE_FINALIZE] = 7;
		w.fake.retry_after_date = date;
		polls_run(&w, &p, 40 * 1000);
		assert_true(p.count >= 5);
		for (size_t i = 0; i + 1 < 4; i++)
			assert_in_range(p.at[i + 1] - p.at[i], 6000, 8000);
	}
}

/* A long one is cut, so that there is a last look before the time is over. */
static void
retry_after_beyond_the_deadline(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.processing_polls = 0;
	w.fake.ready = true;
	w.fake.retry_after[FAKE_FINALIZE] = 86400;
	world_ready(&w);
	order_start_with(&w, &r, "a.test", 0, NULL, 60 * 1000);
	order_wait(&w, &r, 61 * 1000);
	assert_issued(&r);
	order_done(&r);
	world_close(&w);
}

/* The CA's own request makes the poll come at once, even while the schedule says seconds. */
static void
fetch_hurries_the_poll(void **state)
{
	struct world w;
	struct result r;
	int64_t start;

	world_open(&w);
	w.fake.validation_ms = 1800;
	world_ready(&w);
	start = clock_mono_ms();
	order_start(&w, &r, "a.test");
	order_wait(&w, &r, 60 * 1000);
	assert_issued(&r);
	/* Polls at 250, 750, 1750, and then at 1850 instead of 3750. */
	assert_in_range(clock_mono_ms() - start, 1850, 2400);
	order_done(&r);
	world_close(&w);
}

/* Who knows the token could ask us all the time: the CA is not asked as often. */
static void
fetches_are_bounded(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.validation_ms = 1000 * 1000;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	fake_clock_advance(w.loop, 100);
	for (int i = 0; i < 500; i++) {
		fake_solver_fetch(&w.solver, "token-3");
		fake_clock_advance(w.loop, 60);
	}
	assert_in_range(w.fake.count[FAKE_AUTHORIZATION], 10, 30);
	order_done(&r);
	world_close(&w);
}

static bool
stumble(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	unsigned *times = ca->arg;

	if ((step != FAKE_ORDER && step != FAKE_AUTHORIZATION) || ca->count[FAKE_CHALLENGE] == 0 ||
	    *times == 0)
		return false;
	switch (--*times % 3) {
	case 0:
		reply->outcome = FAKE_HTTP_REFUSED;
		break;
	case 1:
		fake_http_status(reply, 502, "<html>");
		break;
	default:
		fake_http_status(reply, 200, "<html>");
		break;
	}
	return true;
}

/* One bad answer to a poll does not lose an order. */
static void
stumbling_polls(void **state)
{
	for (unsigned n = 1; n < 6; n++) {
		struct world w;
		struct result r;
		unsigned times = n;

		world_open(&w);
		w.fake.before = stumble;
		w.fake.arg = &times;
		world_ready(&w);
		order_start(&w, &r, "a.test");
		assert_true(order_wait(&w, &r, 60 * 1000));
		if (n <= 3)
			assert_issued(&r);
		else
			assert_null(r.chain);
		order_done(&r);
		world_close(&w);
	}
}

/* ---- the bucket ---- */

static void
rate_is_kept(void **state)
{
	struct world w;
	struct result r[20];
	int64_t start;

	world_open(&w);
	w.conf.requests_per_second = 15;
	w.conf.requests_burst = 40;
	world_ready(&w);
	start = clock_mono_ms();
	for (size_t i = 0; i < 20; i++)
		order_start(&w, &r[i], "a.test");
	for (size_t i = 0; i < 20; i++) {
		order_wait(&w, &r[i], 600 * 1000);
		assert_issued(&r[i]);
		order_done(&r[i]);
	}
	/* 20 orders of 8 requests and more, 40 of which are free. */
	assert_true((double)w.fake.requests <=
	    4 + 40 + 15.0 * (double)(clock_mono_ms() - start) / 1000 + 1);
	world_close(&w);
}

/* Waiting for the bucket is not the CA's silence: it counts to the order's time only. */
static void
bucket_takes_longer_than_a_request(void **state)
{
	struct world w;
	struct result r[30];

	world_open(&w);
	w.conf.requests_per_second = 1;
	w.conf.requests_burst = 1;
	world_start(&w);
	for (size_t i = 0; i < 30; i++)
		order_start(&w, &r[i], "a.test");
	for (size_t i = 0; i < 30; i++) {
		order_wait(&w, &r[i], 600 * 1000);
		assert_issued(&r[i]);
		order_done(&r[i]);
	}
	world_close(&w);
}

static void
no_limit_on_loopback(void **state)
{
	struct world w;
	int64_t start;

	world_open_at(&w, "http://[::1]:14000", "http-01");
	w.conf.requests_per_second = 0.001;
	w.conf.requests_burst = 1;
	world_ready(&w);
	start = clock_mono_ms();
	order_good(&w, "a.test");
	assert_true(clock_mono_ms() - start < 200);
	world_close(&w);
}

/* ---- silence ---- */

static bool
silent(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	reply->outcome = FAKE_HTTP_SILENT;
	return step == FAKE_NEW_ORDER;
}

static void
silence(void **state)
{
	struct world w;
	struct result r;
	struct err e;

	world_open(&w);
	w.fake.before = silent;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 31 * 1000));
	assert_failed(&r, ERR_UNREACHABLE, "timeout");
	assert_false(ca_ready(w.ca, &e));
	assert_int_equal(e.kind, ERR_UNREACHABLE);
	order_done(&r);
	world_close(&w);
}

static bool
other_scheme(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	if (step != FAKE_NEW_ORDER)
		return false;
	fake_http_status(reply, 201,
	    "{\"status\":\"pending\",\"authorizations\":[],"
	    "\"finalize\":\"https://ca.test/finalize/1\"}");
	fake_http_header(reply, "Location", "http://ca.test/order/1");
	return true;
}

static void
location_of_another_scheme(void **state)
{
	struct world w;
	struct result r;

	world_open(&w);
	w.fake.before = other_scheme;
	world_ready(&w);
	order_start(&w, &r, "a.test");
	assert_true(order_wait(&w, &r, 60 * 1000));
	assert_failed(&r, ERR_UPSTREAM, "another scheme");
	order_done(&r);
	world_close(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nonce_storm),
	    cmocka_unit_test(nonces_always_bad),
	    cmocka_unit_test(stale_pool),
	    cmocka_unit_test(head_without_nonce),
	    cmocka_unit_test(nonce_nobody_waits_for),
	    cmocka_unit_test(nonces_for_many),
	    cmocka_unit_test(stale_connections),
	    cmocka_unit_test(stale_twice),
	    cmocka_unit_test(busy_for_a_moment),
	    cmocka_unit_test(pause_of_new_orders),
	    cmocka_unit_test(long_pause),
	    cmocka_unit_test(reset_ends_a_pause),
	    cmocka_unit_test(busy_without_a_time),
	    cmocka_unit_test(busy_on_polls),
	    cmocka_unit_test(polls_double),
	    cmocka_unit_test(polls_fast_on_loopback),
	    cmocka_unit_test(polls_jitter),
	    cmocka_unit_test(retry_after_is_a_floor),
	    cmocka_unit_test(retry_after_beyond_the_deadline),
	    cmocka_unit_test(fetch_hurries_the_poll),
	    cmocka_unit_test(fetches_are_bounded),
	    cmocka_unit_test(stumbling_polls),
	    cmocka_unit_test(rate_is_kept),
	    cmocka_unit_test(bucket_takes_longer_than_a_request),
	    cmocka_unit_test(no_limit_on_loopback),
	    cmocka_unit_test(silence),
	    cmocka_unit_test(location_of_another_scheme),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
