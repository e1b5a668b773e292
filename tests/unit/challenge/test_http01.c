/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/http/raw_client.h"

#include <stdio.h>

#include "challenge/challenge.h"
#include "challenge/challenges.h"
#include "challenge/http01.h"
#include "ev/loop.h"
#include "ev/op.h"

struct fixture {
	struct loop *loop;
	struct listen_address address;
	char spec[LISTEN_TEXT];
	struct challenge *challenge;
	struct acme_solver *solver;
	struct identifier name;
	struct challenges *all;
	int warnings;
	char warning[512];
	int idle;
};

/* One order's use of a token. */
struct user {
	struct op *op;
	int presented;
	int fetched;
	struct err error;
};

static void
warn(void *arg, const char *block, const char *text)
{
	struct fixture *f = arg;

	f->warnings++;
	snprintf(f->warning, sizeof(f->warning), "%s", text);
}

/* A port nobody uses, as an operator would write it. */
static void
choose_port(struct fixture *f)
{
	struct listener *l = loopback_listener(f->loop);

	f->address = *listener_address(l);
	snprintf(f->spec, sizeof(f->spec), "%s", f->address.text);
	listener_free(l);
}

static struct challenge *
open_challenge(struct fixture *f, char **listeners, size_t count, struct err *e)
{
	struct challenge_conf conf = {
	    .name = "http",
	    .type = CHALLENGE_HTTP01,
	    .http01 = {.listeners = listeners, .listener_count = count},
	};

	return challenge_new(f->all, &conf, e);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char *listeners[] = {f->spec};

	f->loop = loop_new(NULL);
	f->all = challenges_new(f->loop, warn, f);
	choose_port(f);
	f->challenge = open_challenge(f, listeners, 1, NULL);
	assert_non_null(f->challenge);
	assert_true(challenge_serve(f->challenge, true, NULL));
	f->solver = challenge_solver(f->challenge);
	assert_true(identifier_dns("www.example", 11, &f->name, NULL));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	challenge_free(f->challenge);
	challenge_free(NULL);
	challenges_free(f->all);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void
presented(void *arg, const struct err *e)
{
	struct user *u = arg;

	assert_null(u->op);
	u->presented++;
	if (e != NULL)
		u->error = *e;
}

static void
fetched(void *arg)
{
	((struct user *)arg)->fetched++;
}

static void
start(struct fixture *f, struct user *u, const char *token, const char *key_authorization)
{
	struct acme_answer answer = {&f->name, token, key_authorization};

	f->solver->present(f->solver, &answer, presented, fetched, u, &u->op);
	assert_int_equal(u->presented, 0);
}

static void
present(struct fixture *f, struct user *u, const char *token)
{
	char text[64];

	snprintf(text, sizeof(text), "%s.thumb", token);
	start(f, u, token, text);
	loop_turn(f->loop, false);
	assert_int_equal(u->presented, 1);
	assert_int_equal(u->error.kind, ERR_NONE);
}

static void
withdraw(struct fixture *f, struct user *u, const char *token)
{
	struct acme_answer answer = {&f->name, token, "unused"};

	f->solver->withdraw(f->solver, &answer, u);
}

/* The status of the answer to request; its text is left in c. */
static int
ask(struct fixture *f, struct raw_client *c, const char *request, bool head)
{
	raw_forget(c);
	raw_send(c, request);
	PUMP_UNTIL(f->loop, raw_has_answer(c, head) || raw_at_end(c));
	return raw_status(c);
}

static int
ask_once(struct fixture *f, const char *request)
{
	struct raw_client *c = raw_connect(&f->address);
	int status = ask(f, c, request, false);

	raw_close(c);
	return status;
}

#define PATH "/.well-known/acme-challenge/"
#define HOST " HTTP/1.1\r\nHost: www.example\r\n\r\n"

/* ---- answers ---- */

static void
test_answers(void **state)
{
	struct fixture *f = *state;
	struct user u = {0};
	struct raw_client *c = raw_connect(&f->address);

	present(f, &u, "tok_en-1");
	assert_int_equal(ask(f, c, "GET " PATH "tok_en-1" HOST, false), 200);
	assert_string_equal(raw_body(c), "tok_en-1.thumb");
	assert_non_null(strstr(c->got, "Content-Type: application/octet-stream\r\n"));
	PUMP_UNTIL(f->loop, u.fetched == 1);

	assert_int_equal(ask(f, c, "HEAD " PATH "tok_en-1" HOST, true), 200);
	assert_string_equal(raw_body(c), "");
	assert_non_null(strstr(c->got, "Content-Length: 14\r\n"));
	pump_quiet(f->loop);
	assert_int_equal(u.fetched, 1);

	withdraw(f, &u, "tok_en-1");
	assert_int_equal(ask(f, c, "GET " PATH "tok_en-1" HOST, false), 404);
	assert_non_null(strstr(c->got, "Content-Type: text/plain"));
	assert_int_equal(f->warnings, 0);
	raw_close(c);
}

static void
test_everything_else_is_404(void **state)
{
	static const char *const requests[] = {
	    "GET / HTTP/1.1\r\nHost: www.example\r\n\r\n",
	    "GET " PATH HOST,
	    "GET " PATH "token2" HOST,
	    "GET " PATH "toke" HOST,
	    "GET " PATH "token/" HOST,
	    "GET " PATH "token?x=1" HOST,
	    "GET " PATH "t%6fken" HOST,
	    "GET " PATH "../acme-challenge/token" HOST,
	    "GET //.well-known/acme-challenge/token" HOST,
	    "GET /.WELL-KNOWN/acme-challenge/token" HOST,
	    "DELETE " PATH "token" HOST,
	    "OPTIONS " PATH "token" HOST,
	};
	struct fixture *f = *state;
	struct user u = {0};

	present(f, &u, "token");
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		int status = ask_once(f, requests[i]);
		if (status != 404)
			fail_msg("%d for %s", status, requests[i]);
	}
	pump_quiet(f->loop);
	assert_int_equal(u.fetched, 0);
	assert_int_equal(ask_once(f, "GET " PATH "token" HOST), 200);
	withdraw(f, &u, "token");
}

static void
test_greeting(void **state)
{
	struct fixture *f = *state;
	struct challenge_conf conf = {
	    .name = "http",
	    .type = CHALLENGE_HTTP01,
	    .http01 = {.listeners = (char *[]){f->spec},
		.listener_count = 1,
		.greeting = "good morning\n"},
	};
	struct raw_client *c;

	challenge_free(f->challenge);
	f->challenge = challenge_new(f->all, &conf, NULL);
	assert_non_null(f->challenge);
	assert_true(challenge_serve(f->challenge, true, NULL));
	c = raw_connect(&f->address);
	assert_int_equal(ask(f, c, "GET / HTTP/1.1\r\nHost: www.example\r\n\r\n", false), 200);
	assert_string_equal(raw_body(c), "good morning\n");
	assert_int_equal(ask(f, c, "HEAD / HTTP/1.1\r\nHost: www.example\r\n\r\n", true), 200);
	raw_close(c);
	assert_int_equal(ask_once(f, "DELETE / HTTP/1.1\r\nHost: www.example\r\n\r\n"), 404);
	assert_int_equal(ask_once(f, "GET /x HTTP/1.1\r\nHost: www.example\r\n\r\n"), 404);
	assert_int_equal(ask_once(f, "GET " PATH "token" HOST), 404);
}

static void
test_bodies_are_refused(void **state)
{
	struct fixture *f = *state;
	struct user u = {0};

	present(f, &u, "token");
	int status = ask_once(f,
	    "POST " PATH "token HTTP/1.1\r\nHost: www.example\r\nContent-Length: 5\r\n\r\nhello");
	assert_true(status >= 400);
	withdraw(f, &u, "token");
}

/* ---- Host ---- */

static void
test_host(void **state)
{
	static const struct {
		const char *host;
		bool expected;
	} rows[] = {
	    {"Host: www.example\r\n", true},
	    {"Host: WWW.Example:5002\r\n", true},
	    {"Host: other.example\r\n", false},
	    {"Host: www.example.org\r\n", false},
	    {"Host: www\r\n", false},
	    {"Host: [2001:db8::1]:80\r\n", false},
	};
	char request[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct user u = {0};
		setup(state);
		struct fixture *f = *state;

		present(f, &u, "token");
		snprintf(
		    request, sizeof(request), "GET " PATH "token HTTP/1.1\r\n%s\r\n", rows[i].host);
		/* Answered all the same; and said once, not each time. */
		assert_int_equal(ask_once(f, request), 200);
		assert_int_equal(ask_once(f, request), 200);
		if (f->warnings != (rows[i].expected ? 0 : 1))
			fail_msg("%s: %d warnings", rows[i].host, f->warnings);
		if (!rows[i].expected)
			assert_non_null(strstr(f->warning, "www.example"));
		withdraw(f, &u, "token");
		teardown(state);
	}
}

static void
test_http_1_0_without_host(void **state)
{
	struct fixture *f = *state;
	struct user u = {0};

	present(f, &u, "token");
	assert_int_equal(ask_once(f, "GET " PATH "token HTTP/1.0\r\n\r\n"), 200);
	assert_int_equal(f->warnings, 1);
	withdraw(f, &u, "token");
}

static void
test_ipv6_identifier(void **state)
{
	struct fixture *f = *state;
	struct user u = {0};
	struct ip_addr ip;

	assert_true(ip_addr_parse("2001:db8::1", 11, &ip));
	identifier_ip(&ip, &f->name);
	present(f, &u, "token");
	ask_once(f, "GET " PATH "token HTTP/1.1\r\nHost: [2001:db8::1]:5002\r\n\r\n");
	assert_int_equal(f->warnings, 0);
	withdraw(f, &u, "token");
}

/* ---- presenting ---- */

static void
test_shared_token(void **state)
{
	struct fixture *f = *state;
	struct user a = {0}, b = {0};

	present(f, &a, "token");
	present(f, &b, "token");
	assert_int_equal(f->challenge->active, 2);
	ask_once(f, "GET " PATH "token" HOST);
	PUMP_UNTIL(f->loop, a.fetched == 1 && b.fetched == 1);
	withdraw(f, &a, "token");
	assert_int_equal(ask_once(f, "GET " PATH "token" HOST), 200);
	withdraw(f, &b, "token");
	assert_int_equal(ask_once(f, "GET " PATH "token" HOST), 404);
	assert_int_equal(f->challenge->active, 0);
	assert_int_equal(a.fetched, 1);
}

static void
test_cancelled(void **state)
{
	struct fixture *f = *state;
	struct user a = {0}, b = {0};

	present(f, &a, "token");
	start(f, &b, "token", "token.thumb");
	op_cancel(&b.op);
	assert_int_equal(f->challenge->active, 1);
	op_cancel(&a.op); /* nothing in flight: stays */
	assert_int_equal(ask_once(f, "GET " PATH "token" HOST), 200);
	withdraw(f, &a, "token");
	assert_int_equal(b.presented, 0);
	start(f, &b, "token", "token.thumb");
	op_cancel(&b.op);
	assert_int_equal(f->challenge->active, 0);
	assert_int_equal(ask_once(f, "GET " PATH "token" HOST), 404);
}

static void
test_other_account_key(void **state)
{
	struct fixture *f = *state;
	struct user a = {0}, b = {0};

	present(f, &a, "token");
	start(f, &b, "token", "token.other");
	loop_turn(f->loop, false);
	assert_int_equal(b.presented, 1);
	assert_int_equal(b.error.kind, ERR_INTERNAL);
	assert_int_equal(f->challenge->active, 1);
	withdraw(f, &b, "token"); /* was not there */
	withdraw(f, &a, "token");
	assert_int_equal(f->challenge->active, 0);
}

static void
idle(void *arg)
{
	((struct fixture *)arg)->idle++;
}

static void
test_idle(void **state)
{
	struct fixture *f = *state;
	struct user a = {0}, b = {0};

	challenges_on_idle(f->all, idle, f);
	assert_int_equal(f->idle, 0);
	loop_turn(f->loop, false);
	assert_int_equal(f->idle, 1);
	present(f, &a, "a");
	present(f, &b, "b");
	challenges_on_idle(f->all, idle, f);
	withdraw(f, &a, "a");
	loop_turn(f->loop, false);
	assert_int_equal(f->idle, 1);
	withdraw(f, &b, "b");
	assert_int_equal(f->idle, 1);
	loop_turn(f->loop, false);
	assert_int_equal(f->idle, 2);
	loop_turn(f->loop, false);
	assert_int_equal(f->idle, 2);
}

/* ---- listeners ---- */

static void
test_listener_taken(void **state)
{
	struct fixture *f = *state;
	char *listeners[] = {f->spec};
	struct loop *loop = loop_new(NULL);
	struct challenges *all = f->all;
	struct err e;

	f->all = challenges_new(loop, NULL, NULL); /* another process, as it were */
	assert_null(open_challenge(f, listeners, 1, &e));
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_non_null(strstr(e.detail, f->spec));
	challenges_free(f->all);
	loop_free(loop);
	f->all = all;
	listeners[0] = "127.0.0.1:http-or-so";
	assert_null(open_challenge(f, listeners, 1, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
}

/* A block takes the listener of another one, whose challenge is presented still, and goes again. */
static void
test_handed_over(void **state)
{
	struct fixture *f = *state;
	char *listeners[] = {f->spec};
	struct user old = {0}, new = {0};
	struct challenge *second;

	present(f, &old, "old");
	second = open_challenge(f, listeners, 1, NULL);
	assert_non_null(second);
	assert_int_equal(ask_once(f, "GET " PATH "old" HOST), 200);
	assert_true(challenge_serve(second, true, NULL));
	challenge_free(f->challenge); /* the first one is presented, so it stays */
	f->solver = challenge_solver(second);
	present(f, &new, "new");
	assert_int_equal(ask_once(f, "GET " PATH "old" HOST), 200);
	assert_int_equal(ask_once(f, "GET " PATH "new" HOST), 200);
	assert_int_equal(old.fetched + new.fetched, 3);
	assert_int_equal(challenges_active(f->all), 2);
	withdraw(f, &new, "new");
	challenge_free(second);
	loop_turn(f->loop, false);
	assert_int_equal(ask_once(f, "GET " PATH "old" HOST), 200); /* by the first one again */
	assert_int_equal(ask_once(f, "GET " PATH "new" HOST), 404);
	f->solver = challenge_solver(f->challenge);
	withdraw(f, &old, "old");
	f->challenge = NULL; /* gone with this turn */
	loop_turn(f->loop, false);
	assert_int_equal(challenges_active(f->all), 0);
	second = open_challenge(f, listeners, 1, NULL);
	assert_non_null(second);
	challenge_free(second);
}

static void
test_held(void **state)
{
	struct fixture *f = *state;
	struct user u = {0};

	assert_ptr_equal(challenge_hold(f->challenge), f->challenge);
	challenge_free(f->challenge);
	loop_turn(f->loop, false);
	present(f, &u, "a");
	assert_int_equal(ask_once(f, "GET " PATH "a" HOST), 200);
	challenge_rename(f->challenge, "other");
	assert_string_equal(f->challenge->name, "other");
	withdraw(f, &u, "a");
}

static void
test_names(void **state)
{
	assert_string_equal(challenge_type_name(CHALLENGE_HTTP01), "http01");
	assert_string_equal(challenge_type_name(CHALLENGE_DNS01_UPDATE), "dns01-dnsUpdate");
	assert_false(challenge_http01.wildcards);
	assert_true(challenge_http01.ip);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_answers),
	    TEST(test_everything_else_is_404),
	    TEST(test_greeting),
	    TEST(test_bodies_are_refused),
	    cmocka_unit_test(test_host),
	    TEST(test_http_1_0_without_host),
	    TEST(test_ipv6_identifier),
	    TEST(test_shared_token),
	    TEST(test_cancelled),
	    TEST(test_other_account_key),
	    TEST(test_idle),
	    TEST(test_listener_taken),
	    TEST(test_handed_over),
	    TEST(test_held),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
