/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dns01-challtestsrv against a challenge test server of our own: what stands in its records after
 * each way an order can go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "challenge/challenge.h"
#include "challenge/challenges.h"
#include "codec/json.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "http/client.h"
#include "tests/flow/fake/fake_clock.h"
#include "tests/flow/fake/fake_http.h"

enum { VALUES_MAX = 8, MINUTE_MS = 60 * 1000 };

/* The server: one host is enough. */
static struct {
	char values[VALUES_MAX][64];
	size_t count;
	size_t sets;
	size_t clears;
	bool refuses;
	bool silent;
	int status;
	int64_t delay_ms;
} there;

static struct loop *loop;
static struct http_client *http;
static struct challenges *all;
static struct challenge *challenge;
static char warning[512];

struct presenter {
	struct acme_answer answer;
	struct identifier id;
	struct op *op;
	bool called;
	bool ok;
	struct err error;
	bool withdraw_at_once;
};

static void
change_records(const struct fake_http_request *request)
{
	struct err e;
	struct json *body = json_parse(request->body, strlen(request->body), &e);

	assert_non_null(body);
	assert_string_equal(request->method, "POST");
	assert_string_equal(json_string(body, "host"), "_acme-challenge.example.org.");
	if (strcmp(request->url, "http://localhost:8055/set-txt") == 0) {
		assert_true(there.count < VALUES_MAX);
		strcpy(there.values[there.count++], json_string(body, "value"));
		there.sets++;
	} else {
		assert_string_equal(request->url, "http://localhost:8055/clear-txt");
		assert_null(json_string(body, "value"));
		there.count = 0;
		there.clears++;
	}
	json_free(body);
}

static void
serve(void *arg, const struct fake_http_request *request, struct fake_http_reply *reply)
{
	assert_int_equal(fake_http_open(), 1);
	if (there.refuses || there.silent) {
		reply->outcome = there.refuses ? FAKE_HTTP_REFUSED : FAKE_HTTP_SILENT;
		return;
	}
	if (there.status == 200)
		change_records(request);
	reply->delay_ms = there.delay_ms;
	fake_http_status(reply, there.status, "");
}

static void
warn(void *arg, const char *block, const char *text)
{
	snprintf(warning, sizeof(warning), "%s", text);
}

static int
set_up(void **state)
{
	struct challenge_conf conf = {
	    .name = "dns",
	    .type = CHALLENGE_DNS01_CHALLTESTSRV,
	    .challtestsrv = {.set_txt_url = (char *)"http://localhost:8055/set-txt"},
	};
	struct err e;

	memset(&there, 0, sizeof(there));
	there.status = 200;
	warning[0] = '\0';
	fake_clock_reset();
	fake_http_reset();
	fake_http_handle(serve, NULL);
	loop = loop_new(&e);
	http = fake_http_client(loop);
	conf.http = http;
	all = challenges_new(loop, warn, NULL);
	challenge = challenge_new(all, &conf, &e);
	assert_non_null(challenge);
	return 0;
}

static int
tear_down(void **state)
{
	challenge_free(challenge);
	challenges_free(all);
	fake_clock_settle(loop);
	assert_int_equal(fake_timers_running(), 0);
	http_client_free(http);
	loop_free(loop);
	return 0;
}

/* ---- presenting ---- */

static void withdraw(struct presenter *p);

static void
presented(void *arg, const struct err *e)
{
	struct presenter *p = arg;

	assert_false(p->called);
	assert_null(p->op);
	p->called = true;
	p->ok = e == NULL;
	if (e != NULL)
		p->error = *e;
	else if (p->withdraw_at_once)
		withdraw(p);
}

static void
present(struct presenter *p, const char *token)
{
	struct acme_solver *solver = challenge_solver(challenge);
	struct err e;

	p->called = p->ok = false;
	assert_true(identifier_dns("example.org", 11, &p->id, &e));
	/* The key authorization would be token and thumbprint; any text will do. */
	p->answer = (struct acme_answer){&p->id, token, token};
	solver->present(solver, &p->answer, presented, NULL, p, &p->op);
	assert_false(p->called);
}

static void
withdraw(struct presenter *p)
{
	struct acme_solver *solver = challenge_solver(challenge);

	solver->withdraw(solver, &p->answer, p);
}

static void
expect_gone(size_t sets, size_t clears)
{
	fake_clock_advance(loop, MINUTE_MS);
	assert_int_equal(there.count, 0);
	assert_int_equal(there.sets, sets);
	assert_int_equal(there.clears, clears);
	assert_int_equal(challenge->active, 0);
	assert_int_equal(fake_http_open(), 0);
}

/* ---- scenarios ---- */

static void
one(void **state)
{
	struct presenter p = {0};

	present(&p, "a");
	fake_clock_settle(loop);
	assert_true(p.ok);
	assert_int_equal(there.count, 1);
	/* printf a | openssl dgst -sha256 -binary | basenc --base64url */
	assert_string_equal(there.values[0], "ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs");
	withdraw(&p);
	assert_int_equal(challenge->active, 1);
	expect_gone(1, 1);
	assert_string_equal(warning, "");
}

/* Apex and wildcard: the second value comes and goes without the first ever missing. */
static void
two_values(void **state)
{
	struct presenter a = {0}, b = {0};

	present(&a, "a");
	present(&b, "b");
	fake_clock_settle(loop);
	assert_true(a.ok && b.ok);
	assert_int_equal(there.count, 2);
	withdraw(&a);
	fake_clock_advance(loop, MINUTE_MS);
	assert_int_equal(there.count, 2);
	withdraw(&b);
	expect_gone(2, 1);
}

/* The next order's value waits until the clearing is over, or it would be cleared too. */
static void
present_while_clearing(void **state)
{
	struct presenter a = {0}, b = {0};

	present(&a, "a");
	fake_clock_settle(loop);
	there.delay_ms = 100;
	withdraw(&a);
	fake_clock_advance(loop, 50);
	present(&b, "b");
	fake_clock_advance(loop, 20);
	assert_false(b.called);
	fake_clock_advance(loop, 200);
	assert_true(b.ok);
	assert_int_equal(there.count, 1);
	withdraw(&b);
	expect_gone(2, 2);
}

static void
cancelled_in_the_queue(void **state)
{
	struct presenter a = {0}, b = {0};

	there.delay_ms = 100;
	present(&a, "a");
	present(&b, "b");
	fake_clock_advance(loop, 50);
	op_cancel(&b.op);
	fake_clock_advance(loop, 200);
	assert_true(a.ok);
	assert_false(b.called);
	withdraw(&a);
	expect_gone(1, 1);
}

/* The call is on its way and may be served: afterwards the host is cleared. */
static void
cancelled_while_setting(void **state)
{
	struct presenter a = {0};

	there.delay_ms = 100;
	present(&a, "a");
	fake_clock_advance(loop, 50);
	op_cancel(&a.op);
	assert_int_equal(challenge->active, 1);
	expect_gone(1, 1);
	assert_false(a.called);
}

static void
withdrawn_in_the_completion(void **state)
{
	struct presenter a = {.withdraw_at_once = true}, b = {.withdraw_at_once = true};

	present(&a, "a");
	present(&b, "b");
	fake_clock_settle(loop);
	assert_true(a.ok && b.ok);
	expect_gone(2, there.clears);
	assert_true(there.clears >= 1);
}

static void
server_down(void **state)
{
	struct presenter a = {0}, b = {0};

	there.refuses = true;
	present(&a, "a");
	present(&b, "b");
	fake_clock_settle(loop);
	assert_true(a.called && b.called);
	assert_false(a.ok || b.ok);
	assert_int_equal(a.error.kind, ERR_UNREACHABLE);
	assert_non_null(strstr(a.error.detail, "challenge test server"));
	expect_gone(0, 0);
	assert_non_null(strstr(warning, "_acme-challenge.example.org may be left behind"));
}

static void
server_silent(void **state)
{
	struct presenter a = {0};

	there.silent = true;
	present(&a, "a");
	fake_clock_advance(loop, 4900);
	assert_false(a.called);
	fake_clock_advance(loop, 200);
	assert_true(a.called);
	assert_false(a.ok);
	expect_gone(0, 0);
}

static void
server_refuses(void **state)
{
	struct presenter a = {0};

	there.status = 400;
	present(&a, "a");
	fake_clock_settle(loop);
	assert_int_equal(a.error.kind, ERR_UPSTREAM);
	assert_non_null(strstr(a.error.detail, "400"));
	expect_gone(0, 0);
}

/* It comes back before clearing is given up. */
static void
clearing_is_tried_again(void **state)
{
	struct presenter a = {0};

	present(&a, "a");
	fake_clock_settle(loop);
	there.refuses = true;
	withdraw(&a);
	fake_clock_advance(loop, 100);
	assert_int_equal(there.count, 1);
	there.refuses = false;
	expect_gone(1, 1);
	assert_string_equal(warning, "");
}

static void
present_between_tries(void **state)
{
	struct presenter a = {0}, b = {0};

	present(&a, "a");
	fake_clock_settle(loop);
	there.refuses = true;
	withdraw(&a);
	fake_clock_advance(loop, 100);
	there.refuses = false;
	present(&b, "b");
	fake_clock_advance(loop, MINUTE_MS);
	assert_true(b.ok);
	assert_int_equal(there.clears, 0);
	withdraw(&b);
	expect_gone(2, 1);
}

static void
freed_in_between(void **state)
{
	struct presenter a = {0};

	there.delay_ms = 100;
	present(&a, "a");
	fake_clock_advance(loop, 50);
	op_cancel(&a.op);
	/* tear_down frees it with the call in flight */
}

static void
idle_told(void *arg)
{
	*(bool *)arg = true;
}

static void
idle(void **state)
{
	struct presenter a = {0};
	bool told = false;

	present(&a, "a");
	fake_clock_settle(loop);
	challenges_on_idle(all, idle_told, &told);
	fake_clock_settle(loop);
	assert_false(told);
	withdraw(&a);
	assert_false(told);
	fake_clock_settle(loop);
	assert_true(told);
	assert_int_equal(there.count, 0);
}

static void
bad_url(void **state)
{
	struct challenge_conf conf = {.name = "dns",
	    .type = CHALLENGE_DNS01_CHALLTESTSRV,
	    .http = http,
	    .challtestsrv = {.set_txt_url = (char *)"http://localhost:8055/settxt"}};
	struct err e;

	assert_null(challenge_new(all, &conf, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
}

#define SCENARIO(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENARIO(one),
	    SCENARIO(two_values),
	    SCENARIO(present_while_clearing),
	    SCENARIO(cancelled_in_the_queue),
	    SCENARIO(cancelled_while_setting),
	    SCENARIO(withdrawn_in_the_completion),
	    SCENARIO(server_down),
	    SCENARIO(server_silent),
	    SCENARIO(server_refuses),
	    SCENARIO(clearing_is_tried_again),
	    SCENARIO(present_between_tries),
	    SCENARIO(freed_in_between),
	    SCENARIO(idle),
	    SCENARIO(bad_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
