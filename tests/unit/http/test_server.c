/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server answers, to requests right and wrong. */
#include <sys/un.h>

#include "tests/unit/http/server_fixture.h"

#define HOST "Host: x\r\n"

static struct raw_client *
ask(struct fixture *f, const char *request)
{
	struct raw_client *c = fixture_connect(f);

	raw_send(c, request);
	PUMP_UNTIL(f->loop, raw_has_answer(c, strncmp(request, "HEAD", 4) == 0));
	return c;
}

static void
test_keep_alive(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = ask(f, "GET /a?b=%41 HTTP/1.1\r\n" HOST "\r\n");

	assert_int_equal(raw_status(c), 200);
	assert_string_equal(raw_body(c), "hello\n");
	assert_non_null(strstr(c->got, "\r\nContent-Type: text/plain\r\n"));
	assert_null(strstr(c->got, "Connection: close"));
	assert_string_equal(f->method, "GET");
	assert_string_equal(f->target, "/a?b=%41");
	assert_string_equal(f->peer, "127.0.0.1");
	for (int i = 0; i < 3; i++) {
		raw_forget(c);
		raw_send(c, "GET /again HTTP/1.1\r\n" HOST "\r\n");
		PUMP_UNTIL(f->loop, raw_has_answer(c, false));
		assert_string_equal(raw_body(c), "hello\n");
	}
	assert_int_equal(f->handled, 4);
	assert_false(raw_at_end(c));
	raw_close(c);
}

static void
test_head_has_no_body(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = ask(f, "HEAD / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");

	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_int_equal(raw_status(c), 200);
	assert_non_null(strstr(c->got, "Content-Length: 6\r\n"));
	assert_string_equal(raw_body(c), "");
	raw_close(c);
}

static void
test_body(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = fixture_connect(f);

	raw_send_bytes(c, "POST /sign HTTP/1.0\r\nContent-Length: 7\r\n\r\nab\0\r\nde", 49);
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	PUMP_UNTIL(f->loop, raw_at_end(c)); /* 1.0 without keep-alive */
	assert_int_equal(raw_status(c), 200);
	assert_int_equal(f->body_len, 7);
	assert_memory_equal(f->body, "ab\0\r\nde", 7);
	raw_close(c);
}

static void
closing_reply(void *arg, struct http_exchange *x)
{
	http_exchange_reply(x, &(struct http_reply){.status = 503, .close = true});
}

static void
test_http_1_0_keep_alive(void **state)
{
	static const char request[] = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
	struct fixture *f = *state;
	struct raw_client *c = ask(f, request);

	assert_non_null(strstr(c->got, "Connection: keep-alive"));
	raw_forget(c);
	raw_send(c, request);
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	assert_int_equal(raw_status(c), 200);
	raw_close(c);

	f->conf.handler = closing_reply;
	fixture_restart(f);
	c = ask(f, request);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_int_equal(raw_status(c), 503);
	assert_non_null(strstr(c->got, "Connection: close"));
	assert_null(strstr(c->got, "keep-alive"));
	raw_close(c);
}

static void
test_byte_by_byte(void **state)
{
	static const char request[] =
	    "POST /sign HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabcde";
	struct fixture *f = *state;
	struct raw_client *c = fixture_connect(f);

	for (size_t i = 0; i < sizeof(request) - 1; i++) {
		raw_send_bytes(c, request + i, 1);
		pump_once(f->loop);
		pump_once(f->loop);
	}
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	assert_int_equal(raw_status(c), 200);
	assert_int_equal(f->body_len, 5);
	raw_close(c);
}

static void
test_methods_all_reach_the_handler(void **state)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE",
	    "PATCH", "PROPFIND", "get", "ABC", "MKCALENDAR"};
	struct fixture *f = *state;
	char request[128];

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct raw_client *c;

		snprintf(request, sizeof(request),
		    "%s /x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", methods[i]);
		c = ask(f, request);
		assert_int_equal(raw_status(c), 200);
		assert_string_equal(f->method, methods[i]);
		raw_close(c);
	}
}

struct refused {
	const char *request;
	int status;
};

static const struct refused refused[] = {
    /* the request line */
    {"\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1\n" HOST "\r\n", 400},
    {"GET /\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.2\r\n" HOST "\r\n", 400},
    {"GET / HTTP/0.9\r\n" HOST "\r\n", 400},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
    {"GET / http/1.1\r\n" HOST "\r\n", 400},
    {"G(T / HTTP/1.1\r\n" HOST "\r\n", 400},
    {" GET / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"A / HTTP/1.1\r\n" HOST "\r\n", 501},
    {"CONNECT /x HTTP/1.1\r\n" HOST "\r\n", 501},
    {"\x16\x03\x01\x02", 400},
    /* the target */
    {"GET http://x/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400},
    {"CONNECT x:443 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET //x/ HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", 400},
    /* headers */
    {"GET / HTTP/1.1\r\n" HOST "X : y\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST ": y\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "novalue\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: y\r\n folded\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: y\rz\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: y\nZ: z\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: \x07\r\n\r\n", 400},
    /* Host */
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
    {"GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
    /* the body */
    {"POST / HTTP/1.1\r\n" HOST "\r\n", 411},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: -3\r\n\r\nabc", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3 3\r\n\r\nabc", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\nabc", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\nabc", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 4097\r\n\r\nabc", 413},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\nabc", 413},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 411},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	400},
    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: wonders\r\n\r\n", 417},
};

static void
assert_refused(struct raw_client *c, int status, const char *request)
{
	if (raw_status(c) != status)
		fail_msg("%d instead of %d for:\n%s", raw_status(c), status, request);
	assert_non_null(strstr(c->got, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(c->got, "\r\nContent-Type: text/plain\r\n"));
	assert_null(strchr(c->got, '<'));
	assert_true(strlen(raw_body(c)) > 10);
	assert_false(c->reset);
}

static void
test_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct raw_client *c = ask(f, refused[i].request);

		shutdown(c->fd, SHUT_WR);
		PUMP_UNTIL(f->loop, raw_at_end(c));
		assert_refused(c, refused[i].status, refused[i].request);
		raw_close(c);
	}
	assert_int_equal(f->handled, 0);
}

/* Whatever follows a refused request is not a request. */
static void
test_nothing_after_a_refusal_is_parsed(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = fixture_connect(f);

	raw_send(c, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
	raw_send(c, "0\r\n\r\nGET /smuggled HTTP/1.1\r\n" HOST "\r\n");
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	raw_send_some(c, "GET /smuggled HTTP/1.1\r\n" HOST "\r\n", 35);
	shutdown(c->fd, SHUT_WR);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_refused(c, 411, "");
	assert_int_equal(f->handled, 0);
	assert_null(strstr(raw_body(c), "HTTP/1.1 "));
	raw_close(c);
}

static void
test_nul_bytes(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = fixture_connect(f);

	raw_send_bytes(c, "GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n", 29);
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	shutdown(c->fd, SHUT_WR);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_refused(c, 400, "NUL");
	raw_close(c);
}

static void
test_headers_too_large(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = fixture_connect(f);
	char junk[3000];

	memset(junk, 'a', sizeof(junk));
	raw_send(c, "GET / HTTP/1.1\r\n" HOST "X: ");
	raw_send_bytes(c, junk, sizeof(junk));
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	shutdown(c->fd, SHUT_WR);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_refused(c, 400, "large headers");
	raw_close(c);
}

static void
test_too_many_headers(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = fixture_connect(f);

	raw_send(c, "GET / HTTP/1.1\r\n" HOST);
	for (int i = 0; i < 100; i++)
		raw_send(c, "X: y\r\n");
	raw_send(c, "\r\n");
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	shutdown(c->fd, SHUT_WR);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_refused(c, 400, "many headers");
	raw_close(c);
}

/* The largest head and body that are taken, in one go. */
static void
test_at_the_limits(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = fixture_connect(f);
	static const char line[] = "POST / HTTP/1.1\r\n" HOST "Content-Length: 4096\r\nX: ";
	char junk[8192];

	memset(junk, 'a', sizeof(junk));
	raw_send(c, line);
	raw_send_bytes(c, junk, 2048 - 4 - strlen(line));
	raw_send(c, "\r\n\r\n");
	raw_send_bytes(c, junk, 4096);
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	assert_int_equal(raw_status(c), 200);
	assert_int_equal(f->body_len, 4096);
	raw_close(c);
}

static void
test_no_body_where_none_is_taken(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c;

	f->conf.max_body = 0;
	fixture_restart(f);
	c = ask(f, "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx");
	assert_refused(c, 413, "GET with body");
	raw_close(c);
	c = ask(f, "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
	assert_int_equal(raw_status(c), 200);
	raw_close(c);
}

/* evhttp reads no body of these methods: it must not become the next request. */
static void
test_body_that_is_not_read(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = fixture_connect(f);

	raw_send(c, "HEAD / HTTP/1.1\r\n" HOST "Content-Length: 35\r\n\r\n");
	PUMP_UNTIL(f->loop, raw_has_answer(c, true));
	assert_non_null(strstr(c->got, "Connection: close"));
	raw_send_some(c, "GET /smuggled HTTP/1.1\r\n" HOST "\r\n", 35);
	shutdown(c->fd, SHUT_WR);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_int_equal(f->handled, 1);
	raw_close(c);
}

static void
test_pipelined(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = ask(f,
	    "GET /1 HTTP/1.1\r\n" HOST "\r\n"
	    "GET /2 HTTP/1.1\r\n" HOST "\r\n");

	shutdown(c->fd, SHUT_WR);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_non_null(strstr(c->got, "Connection: close"));
	assert_string_equal(raw_body(c), "hello\n");
	assert_int_equal(f->handled, 1);
	raw_close(c);
}

static void
test_expect_continue(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = fixture_connect(f);

	raw_send(c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\n");
	PUMP_UNTIL(f->loop, raw_has_answer(c, true));
	assert_string_equal(c->got, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(f->handled, 0);
	raw_forget(c);
	raw_send(c, "abc");
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	assert_int_equal(raw_status(c), 200);
	assert_int_equal(f->body_len, 3);
	raw_close(c);
}

static void
test_expect_continue_refused_before_the_body(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = ask(
	    f, "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999\r\nExpect: 100-continue\r\n\r\n");

	assert_int_equal(raw_status(c), 413);
	raw_close(c);
}

/* The client sends all of a body that is too large before it reads: it still gets the answer. */
static void
test_refusal_survives_a_large_body(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = fixture_connect(f);
	char junk[16384] = {0};
	size_t sent = 0;
	int64_t end = clock_mono_ms() + PUMP_MAX_MS;

	raw_send(c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 4000000\r\n\r\n");
	while (sent < 4000000 && clock_mono_ms() < end) {
		ssize_t n = raw_send_some(c, junk, sizeof(junk));

		assert_true(n >= 0);
		sent += (size_t)n;
		loop_turn(f->loop, false);
	}
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	assert_refused(c, 413, "large body");
	shutdown(c->fd, SHUT_WR);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_false(c->reset);
	raw_close(c);
}

static void
odd_reply(void *arg, struct http_exchange *x)
{
	http_exchange_reply(x,
	    &(struct http_reply){
		.status = 421,
		.reason =
		    "Validation failed\r\nfor \xff"
		    " a name that is far longer than eighty characters, as names of hosts may be",
		.headers = {{"Retry-After", "5"}, {"X-Odd", "a\r\nb: c"}},
	    });
}

static void
test_reply_is_clean(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c;

	f->conf.handler = odd_reply;
	fixture_restart(f);
	c = ask(f, "GET / HTTP/1.1\r\n" HOST "\r\n");
	assert_non_null(strstr(c->got, "HTTP/1.1 421 Validation failed??for ? a name that is"));
	assert_int_equal(strchr(c->got, '\r') - c->got, 13 + 80);
	assert_non_null(strstr(c->got, "\r\nRetry-After: 5\r\nX-Odd: a??b: c\r\n"));
	assert_non_null(strstr(c->got, "\r\nContent-Length: 0\r\n"));
	assert_null(strstr(c->got, "Content-Type"));
	raw_close(c);
}

static void
own_refusal(void *arg, int status, const char *detail, struct http_exchange *x)
{
	assert_non_null(detail);
	assert_string_equal(http_exchange_header(x, "accept"), "application/problem+json");
	assert_string_equal(http_exchange_target(x), "/sign");
	http_exchange_reply(x,
	    &(struct http_reply){
		.status = status,
		.content_type = "application/problem+json",
		.body = "{}",
		.body_len = 2,
	    });
}

static void
test_own_refusal(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c;

	f->conf.refuse = own_refusal;
	fixture_restart(f);
	c = ask(f, "POST /sign HTTP/1.1\r\n" HOST "Accept: application/problem+json\r\n\r\n");
	assert_int_equal(raw_status(c), 411);
	assert_string_equal(raw_body(c), "{}");
	assert_non_null(strstr(c->got, "Connection: close"));
	raw_close(c);
}

static void
collect(const char *value, void *arg)
{
	strcat(arg, value);
	strcat(arg, "|");
}

static void
list_headers(void *arg, struct http_exchange *x)
{
	char values[128] = "";

	http_exchange_headers(x, "x-forwarded-for", collect, values);
	assert_string_equal(values, "a, b|c|");
	assert_string_equal(http_exchange_header(x, "X-Forwarded-For"), "a, b");
	assert_null(http_exchange_header(x, "X-Real-IP"));
	reply_text(x, 200, "ok");
}

static void
test_repeated_headers(void **state)
{
	struct fixture *f = *state;

	f->conf.handler = list_headers;
	fixture_restart(f);
	raw_close(ask(
	    f, "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: a, b\r\nX-FORWARDED-FOR:c \r\n\r\n"));
}

static void
test_unix_peer(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/acmems-server-XXXXXX";
	struct listen_address *a;
	struct listener *l;
	struct raw_client *c;
	char spec[64];
	size_t n;

	assert_non_null(mkdtemp(dir));
	snprintf(spec, sizeof(spec), "unix:%s/s", dir);
	assert_true(listen_addresses(spec, &a, &n, NULL));
	l = listener_open(f->loop, a, NULL, NULL);
	assert_true(http_server_serve(f->server, l, NULL));
	for (int i = 0; i < 2; i++) {
		c = raw_connect(a);
		raw_send(c, "GET / HTTP/1.1\r\n" HOST "\r\n");
		PUMP_UNTIL(f->loop, raw_has_answer(c, false));
		assert_int_equal(raw_status(c), 200);
		assert_string_equal(f->peer, "unix");
		raw_close(c);
	}
	listener_free(l);
	free(a);
	rmdir(dir);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    T(test_keep_alive),
	    T(test_head_has_no_body),
	    T(test_body),
	    T(test_http_1_0_keep_alive),
	    T(test_byte_by_byte),
	    T(test_methods_all_reach_the_handler),
	    T(test_refused),
	    T(test_nothing_after_a_refusal_is_parsed),
	    T(test_nul_bytes),
	    T(test_headers_too_large),
	    T(test_too_many_headers),
	    T(test_at_the_limits),
	    T(test_no_body_where_none_is_taken),
	    T(test_body_that_is_not_read),
	    T(test_pipelined),
	    T(test_expect_continue),
	    T(test_expect_continue_refused_before_the_body),
	    T(test_refusal_survives_a_large_body),
	    T(test_reply_is_clean),
	    T(test_own_refusal),
	    T(test_repeated_headers),
	    T(test_unix_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
