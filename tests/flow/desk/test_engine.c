/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desk on the real engine: a fake CA behind it, a real file store. */
#include "tests/flow/acme/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "issue/desk.h"
#include "issue/policy.h"
#include "issue/store.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, DAY = 86400, MANY = 32 };

struct house {
	struct world w;
	struct store *store;
	struct policy *policy;
	struct desk *desk;
	struct poster *leaver; /* hangs up when the CA sees `leave_at` */
	enum fake_step leave_at;
};

struct poster {
	struct op *op;
	bool done;
	char *body;
	char *pem; /* NULL: failure */
	bool cached;
	char renewal_failed[ERR_DETAIL_MAX];
	struct err error;
};

static void
open_desk(struct house *h)
{
	char path[96];
	char *domains[] = {"*"};
	struct auth_block block = {
	    .name = "all", .all = true, .domains = domains, .domain_count = 1};
	/* The disk does not know the scenario's time. */
	struct store_file_conf file = {.directory = path, .keep = 30 * DAY, .blocking = true};
	struct challenge *challenges[] = {&h->w.solver.challenge};

	snprintf(path, sizeof(path), "%s/storage", h->w.dir);
	h->store = store_file_new(h->w.loop, "file", &file, 14 * DAY, NULL);
	assert_non_null(h->store);
	h->policy = policy_new(&block, 1);
	struct store *stores[] = {h->store};
	h->desk = desk_new(h->w.loop,
	    &(struct desk_conf){
		.ca = h->w.ca,
		.policy = h->policy,
		.challenges = challenges,
		.challenge_count = 1,
		.stores = stores,
		.store_count = 1,
		.timeout_ms = 180 * SECOND,
		.order_timeout_ms = 600 * SECOND,
		.max_orders = 1000,
	    });
}

static void
quiet(void)
{
	struct log_conf conf = {
	    .level = LOG_LEVEL_ERROR, .destination = LOG_TO_FILE, .path = "/dev/null"};

	log_configure(&conf, NULL);
}

static int
setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));

	quiet();
	world_open(&h->w);
	world_start(&h->w);
	open_desk(h);
	*state = h;
	return 0;
}

static int
teardown(void **state)
{
	struct house *h = *state;

	desk_free(h->desk);
	policy_free(h->policy);
	store_free(h->store);
	world_close(&h->w);
	free(h);
	log_close();
	return 0;
}

static void
answered(void *arg, const struct sign_result *result, const struct err *e)
{
	struct poster *p = arg;

	assert_false(p->done);
	p->done = true;
	if (e != NULL) {
		p->error = *e;
		return;
	}
	p->pem = strndup(result->pem, result->pem_len);
	p->cached = result->cached;
	if (result->renewal_failed != NULL)
		snprintf(
		    p->renewal_failed, sizeof(p->renewal_failed), "%s", result->renewal_failed);
}

/* Again with the same body, if there is one. */
static void
post(struct house *h, struct poster *p, const char *names, unsigned flags)
{
	struct client_identity who = {.text = "unix"};
	char *body = p->body != NULL ? p->body : fake_csr(names, flags);
	struct sign_request request = {.who = &who, .body = body, .body_len = strlen(body)};

	free(p->pem);
	*p = (struct poster){.body = body};
	desk_sign(h->desk, &request, answered, p, &p->op);
}

static void
wait_for(struct house *h, struct poster *p, int64_t ms)
{
	fake_clock_until(h->w.loop, &p->done, ms);
	assert_true(p->done);
}

static void
expect_pem(const struct poster *p)
{
	assert_true(p->done);
	if (p->pem == NULL)
		fail_msg("%s: %s", err_kind_name(p->error.kind), p->error.detail);
}

static void
expect_error(const struct poster *p, enum err_kind kind)
{
	assert_true(p->done);
	assert_null(p->pem);
	assert_string_equal(err_kind_name(p->error.kind), err_kind_name(kind));
}

static void
poster_done(struct poster *p)
{
	assert_null(p->op);
	free(p->body);
	free(p->pem);
}

/* ---- scenarios ---- */

static void
test_issued_and_cached(void **state)
{
	struct house *h = *state;
	struct poster p = {0};

	post(h, &p, "www.example.org,example.org", 0);
	wait_for(h, &p, MINUTE);
	expect_pem(&p);
	assert_false(p.cached);
	char *first = strdup(p.pem);
	post(h, &p, NULL, 0);
	wait_for(h, &p, MINUTE);
	expect_pem(&p);
	assert_true(p.cached);
	assert_string_equal(p.pem, first);
	assert_int_equal(h->w.fake.orders_made, 1);
	free(first);
	poster_done(&p);
}

static void
test_identical_at_once(void **state)
{
	struct house *h = *state;
	struct poster p[8] = {0};
	char *body = fake_csr("www.example.org", 0);

	for (int i = 0; i < 8; i++) {
		p[i].body = strdup(body);
		post(h, &p[i], NULL, 0);
	}
	for (int i = 0; i < 8; i++) {
		wait_for(h, &p[i], MINUTE);
		expect_pem(&p[i]);
		assert_string_equal(p[i].pem, p[0].pem);
	}
	assert_int_equal(h->w.fake.orders_made, 1);
	for (int i = 0; i < 8; i++)
		poster_done(&p[i]);
	free(body);
}

static void
test_different_at_once(void **state)
{
	struct house *h = *state;
	struct poster p[MANY] = {0};

	for (int i = 0; i < MANY; i++) {
		char name[32];
		snprintf(name, sizeof(name), "n%d.example.org", i);
		post(h, &p[i], name, 0);
	}
	for (int i = 0; i < MANY; i++) {
		wait_for(h, &p[i], MINUTE);
		expect_pem(&p[i]);
		poster_done(&p[i]);
	}
	assert_int_equal(h->w.fake.certificates, MANY);
}

/* Let's Encrypt gives one account the same order for the same names while it is pending or ready.
 */
static void
test_same_names_other_keys(void **state)
{
	struct house *h = *state;
	struct poster p[3] = {0};

	h->w.fake.reuse = true;
	for (int i = 0; i < 3; i++)
		post(h, &p[i], "www.example.org,example.org", i == 0 ? FAKE_CSR_RSA : 0);
	for (int i = 0; i < 3; i++) {
		wait_for(h, &p[i], 5 * MINUTE);
		expect_pem(&p[i]);
	}
	assert_int_equal(h->w.fake.certificates, 3);
	assert_int_equal(h->w.fake.orders_made, 3);
	for (int i = 0; i < 3; i++)
		poster_done(&p[i]);
}

static void
test_failing_name_makes_one_order(void **state)
{
	struct house *h = *state;
	struct poster p = {0};

	h->w.fake.fail = ",www.example.org,";
	h->w.fake.fail_type = "connection";
	for (int i = 0; i < 10; i++) {
		post(h, &p, "www.example.org", 0);
		wait_for(h, &p, MINUTE);
		expect_error(&p, ERR_VALIDATION);
		assert_non_null(strstr(p.error.detail, "www.example.org"));
	}
	assert_int_equal(h->w.fake.orders_made, 1);
	h->w.fake.fail = NULL;
	fake_clock_advance(h->w.loop, 2 * MINUTE);
	post(h, &p, NULL, 0);
	wait_for(h, &p, MINUTE);
	expect_pem(&p);
	poster_done(&p);
}

static void
test_nothing_but_challenge_errors(void **state)
{
	struct house *h = *state;
	struct poster p = {0};

	h->w.fake.fail = ",www.example.org,";
	h->w.fake.fail_type = "connection";
	h->w.fake.challenge_retries = true;
	post(h, &p, "www.example.org", 0);
	fake_clock_advance(h->w.loop, 180 * SECOND - 1);
	assert_false(p.done);
	fake_clock_advance(h->w.loop, 1);
	expect_error(&p, ERR_VALIDATION);
	assert_int_equal(desk_jobs(h->desk), 1);
	poster_done(&p);
}

/* ---- a client that leaves ---- */

static bool
leave(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	struct house *h = ca->arg;

	if (step == h->leave_at && h->leaver != NULL)
		op_cancel(&h->leaver->op);
	return false;
}

static void
test_hang_up_at_each_step(void **state)
{
	for (enum fake_step step = FAKE_DIRECTORY; step < FAKE_STEP_COUNT; step++) {
		setup(state);
		struct house *h = *state;
		struct poster p = {0};

		h->w.fake.before = leave;
		h->w.fake.arg = h;
		h->leaver = &p;
		h->leave_at = step;
		post(h, &p, "www.example.org", 0);
		fake_clock_advance(h->w.loop, MINUTE);
		assert_int_equal(desk_jobs(h->desk), 0);
		bool stayed = p.done; /* a step that does not come */
		h->leaver = NULL;
		post(h, &p, NULL, 0);
		wait_for(h, &p, SECOND);
		expect_pem(&p);
		assert_true(p.cached);
		assert_int_equal(h->w.fake.orders_made, 1);
		assert_true(!stayed || step == FAKE_ACCOUNT || step >= FAKE_REVOKE);
		poster_done(&p);
		teardown(state);
	}
}

/* ---- a CA that is away ---- */

static bool
down(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	reply->outcome = FAKE_HTTP_REFUSED;
	return true;
}

static void
test_ca_down_then_up(void **state)
{
	struct house *h = *state;
	struct poster p = {0};

	h->w.fake.before = down;
	fake_clock_advance(h->w.loop, MINUTE);
	post(h, &p, "www.example.org", 0);
	wait_for(h, &p, SECOND);
	expect_error(&p, ERR_UNREACHABLE);
	assert_true(p.error.retry_after > 0);
	h->w.fake.before = NULL;
	fake_clock_advance(h->w.loop, 2 * MINUTE);
	post(h, &p, NULL, 0);
	wait_for(h, &p, MINUTE);
	expect_pem(&p);

	/* Due, and the CA away again: the old one stands in. */
	fake_clock_advance(h->w.loop, (int64_t)(h->w.fake.days - 5) * DAY * SECOND);
	char *old = strdup(p.pem);
	h->w.fake.before = down;
	post(h, &p, NULL, 0);
	wait_for(h, &p, 180 * SECOND);
	expect_pem(&p);
	assert_string_equal(p.pem, old);
	assert_string_not_equal(p.renewal_failed, "");
	h->w.fake.before = NULL;
	fake_clock_advance(h->w.loop, 10 * MINUTE);
	post(h, &p, NULL, 0);
	wait_for(h, &p, MINUTE);
	expect_pem(&p);
	assert_string_not_equal(p.pem, old);
	assert_string_equal(p.renewal_failed, "");
	free(old);
	poster_done(&p);
}

/* ---- the way down ---- */

static void
idle(void *arg)
{
	*(bool *)arg = true;
}

static void
test_abort_withdraws(void **state)
{
	struct house *h = *state;
	struct poster p = {0};
	bool is_idle = false;
	struct err e;

	h->w.fake.validation_ms = MINUTE;
	post(h, &p, "www.example.org,example.org", 0);
	fake_clock_advance(h->w.loop, 10 * SECOND);
	assert_int_equal(fake_solver_active(&h->w.solver), 2);
	desk_drain(h->desk);
	desk_on_idle(h->desk, idle, &is_idle);
	err_set(&e, ERR_BUSY, "shutting down");
	desk_abort(h->desk, &e);
	fake_clock_settle(h->w.loop);
	expect_error(&p, ERR_BUSY);
	assert_true(is_idle);
	assert_int_equal(fake_solver_active(&h->w.solver), 0);
	poster_done(&p);
}

#define SCENARIO(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- another configuration ---- */

struct move {
	struct house *h;
	enum fake_step at;
	bool moved;
	struct fake_solver solver; /* of the new one */
	struct policy *policy;
};

static struct desk_conf
conf_for(const struct house *h, struct challenge **challenges, const struct policy *policy)
{
	return (struct desk_conf){
	    .ca = h->w.ca,
	    .policy = policy,
	    .challenges = challenges,
	    .challenge_count = 1,
	    .stores = (struct store *const *)&h->store,
	    .store_count = 1,
	    .timeout_ms = 180 * SECOND,
	    .order_timeout_ms = 600 * SECOND,
	    .max_orders = 1000,
	};
}

/* Another verification, another object for the same storage, and nobody may have what is ordered.
 */
static bool
reconfigure(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	struct move *m = ca->arg;
	struct house *h = m->h;
	struct challenge *challenges[] = {&m->solver.challenge};
	char path[96];
	struct store_file_conf file = {.directory = path, .keep = 30 * DAY, .blocking = true};

	if (step != m->at || m->moved)
		return false;
	m->moved = true;
	store_free(h->store);
	snprintf(path, sizeof(path), "%s/storage", h->w.dir);
	h->store = store_file_new(h->w.loop, "renamed", &file, 14 * DAY, NULL);
	assert_non_null(h->store);
	struct desk_conf conf = conf_for(h, challenges, m->policy);
	desk_configure(h->desk, &conf);
	return false;
}

static void
configured_at(void **state, enum fake_step step)
{
	char *domains[] = {"*.elsewhere"};
	struct auth_block block = {
	    .name = "other", .all = true, .domains = domains, .domain_count = 1};
	struct poster p = {0}, late = {0};

	setup(state);
	struct house *h = *state;
	struct move m = {.h = h, .at = step, .policy = policy_new(&block, 1)};
	struct challenge *challenges[] = {&m.solver.challenge};

	fake_solver_init(&m.solver, h->w.loop, "http-01");
	h->w.fake.before = reconfigure;
	h->w.fake.arg = &m;
	post(h, &p, "www.example.org", 0);
	wait_for(h, &p, MINUTE);
	expect_pem(&p);
	assert_int_equal(m.solver.presented, 0); /* the order went on with what it began with */
	assert_int_equal(desk_jobs(h->desk), 0);
	late.body = strdup(p.body);
	post(h, &late, NULL, 0);
	wait_for(h, &late, MINUTE);
	if (m.moved) {
		expect_error(&late, ERR_FORBIDDEN);
		struct desk_conf conf = conf_for(h, challenges, h->policy);
		desk_configure(h->desk, &conf);
		post(h, &late, NULL, 0);
		wait_for(h, &late, MINUTE);
	}
	expect_pem(&late);
	assert_true(late.cached);
	assert_int_equal(h->w.fake.orders_made, 1);
	poster_done(&late);
	poster_done(&p);
	h->w.fake.before = NULL;
	struct policy *other = m.policy;
	teardown(state);
	fake_solver_done(&m.solver);
	policy_free(other);
}

static void
test_configured_at_each_step(void **state)
{
	for (enum fake_step step = FAKE_DIRECTORY; step < FAKE_STEP_COUNT; step++)
		configured_at(state, step);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENARIO(test_issued_and_cached),
	    SCENARIO(test_identical_at_once),
	    SCENARIO(test_different_at_once),
	    SCENARIO(test_same_names_other_keys),
	    SCENARIO(test_failing_name_makes_one_order),
	    SCENARIO(test_nothing_but_challenge_errors),
	    cmocka_unit_test(test_hang_up_at_each_step),
	    cmocka_unit_test(test_configured_at_each_step),
	    SCENARIO(test_ca_down_then_up),
	    SCENARIO(test_abort_withdraws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
