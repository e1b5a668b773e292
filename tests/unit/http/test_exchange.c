/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deferred replies, clients that go away, deadlines, and ends in every order. */
#include <sys/resource.h>

#include "tests/unit/http/server_fixture.h"

#define GET  "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"

static struct raw_client *
deferred(struct fixture *f, const char *request)
{
	struct raw_client *c = fixture_connect(f);

	f->defer = true;
	raw_send(c, request);
	PUMP_UNTIL(f->loop, f->kept != NULL);
	pump_quiet(f->loop);
	assert_int_equal(f->hung_up, 0);
	return c;
}

static void
answer(struct fixture *f)
{
	struct http_exchange *x = f->kept;

	f->kept = NULL;
	reply_text(x, 200, "later\n");
}

/* Time enough for whatever should not happen. */
static void
settle(struct fixture *f)
{
	pump_quiet(f->loop);
	pump_quiet(f->loop);
}

static void
test_client_waits(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = deferred(f, POST);
	size_t len;

	assert_int_equal(f->body_len, 3);
	assert_memory_equal(f->body, "abc", 3);
	assert_string_equal(http_exchange_body(f->kept, &len), "");
	assert_int_equal(len, 0);
	for (int i = 0; i < 3; i++) {
		answer(f);
		PUMP_UNTIL(f->loop, raw_has_answer(c, false));
		assert_string_equal(raw_body(c), "later\n");
		assert_null(strstr(c->got, "Connection: close"));
		raw_forget(c);
		raw_send(c, POST);
		PUMP_UNTIL(f->loop, f->kept != NULL);
		pump_quiet(f->loop);
	}
	answer(f);
	raw_close(c);
	settle(f);
	assert_int_equal(f->hung_up, 0);
}

static void
test_client_closes(void **state)
{
	struct fixture *f = *state;

	raw_close(deferred(f, POST));
	PUMP_UNTIL(f->loop, f->hung_up == 1);
	settle(f);
	assert_int_equal(f->hung_up, 1);
}

static void
test_client_resets(void **state)
{
	struct fixture *f = *state;

	raw_abort(deferred(f, POST));
	PUMP_UNTIL(f->loop, f->hung_up == 1);
}

static void
test_client_half_closes(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = deferred(f, GET);

	shutdown(c->fd, SHUT_WR);
	PUMP_UNTIL(f->loop, f->hung_up == 1);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_int_equal(c->len, 0);
	raw_close(c);
}

/* But where nothing has to be waited for, it gets its reply. */
static void
test_half_closed_before_the_handler(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = fixture_connect(f);

	raw_send(c, GET);
	shutdown(c->fd, SHUT_WR);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_string_equal(raw_body(c), "hello\n");
	raw_close(c);
}

static void
test_nobody_listens_for_the_hangup(void **state)
{
	struct fixture *f = *state;

	f->watch = false;
	raw_close(deferred(f, GET));
	settle(f);
	/* The exchange is gone, and nobody was told. */
	assert_int_equal(f->hung_up, 0);
	f->kept = NULL;
}

static void
test_client_pipelines_while_it_waits(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = deferred(f, GET);

	raw_send(c, "x"); /* this single byte used to end the process */
	settle(f);
	raw_send(c, GET GET);
	settle(f);
	assert_int_equal(f->hung_up, 0);
	answer(f);
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	assert_non_null(strstr(c->got, "Connection: close"));
	shutdown(c->fd, SHUT_WR);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_false(c->reset);
	assert_string_equal(raw_body(c), "later\n");
	assert_int_equal(f->handled, 1);
	raw_close(c);
}

static struct raw_client *
flooded(struct fixture *f)
{
	struct raw_client *c = deferred(f, GET);
	char junk[16384];
	size_t sent = 0;

	memset(junk, 'x', sizeof(junk));
	for (int i = 0; i < 256; i++) {
		ssize_t n = raw_send_some(c, junk, sizeof(junk));

		sent += n > 0 ? (size_t)n : 0;
		loop_turn(f->loop, false);
	}
	assert_true(sent > 0);
	assert_int_equal(f->hung_up, 0);
	return c;
}

static void
test_client_floods_and_waits(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = flooded(f);

	answer(f);
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	assert_string_equal(raw_body(c), "later\n");
	raw_close(c);
	settle(f);
}

static void
test_client_floods_and_closes(void **state)
{
	struct fixture *f = *state;

	raw_close(flooded(f)); /* unread input: may go unnoticed until the reply */
	settle(f);
	if (f->kept != NULL)
		answer(f);
	settle(f);
}

static void
test_client_closes_as_the_reply_comes(void **state)
{
	struct fixture *f = *state;

	raw_close(deferred(f, GET));
	if (f->kept != NULL) /* the loop did not turn in between */
		answer(f);
	settle(f);
	assert_int_equal(f->hung_up, 0);
}

static void
test_server_freed_while_exchanges_wait(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = deferred(f, POST);
	struct raw_client *idle = fixture_connect(f);
	struct raw_client *partial = fixture_connect(f);

	raw_send(partial, "GET / HT");
	pump_quiet(f->loop);
	http_server_free(f->server);
	f->server = NULL;
	assert_int_equal(f->hung_up, 1); /* before it returned */
	PUMP_UNTIL(f->loop, raw_at_end(c) && raw_at_end(idle) && raw_at_end(partial));
	assert_int_equal(c->len, 0);
	raw_close(c);
	raw_close(idle);
	raw_close(partial);
}

static void
test_server_freed_after_the_client_left(void **state)
{
	struct fixture *f = *state;

	raw_close(deferred(f, POST));
	http_server_free(f->server); /* the loop has not noticed yet */
	f->server = NULL;
	assert_int_equal(f->hung_up, 1);
	settle(f);
}

static void
free_server(void *arg, struct http_exchange *x)
{
	struct fixture *f = arg;

	http_exchange_on_hangup(x, fixture_hangup, f);
	http_server_free(f->server);
	f->server = NULL;
}

static void
test_server_freed_by_its_handler(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c;

	f->conf.handler = free_server;
	fixture_restart(f);
	c = fixture_connect(f);
	raw_send(c, POST);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	assert_int_equal(f->hung_up, 1);
	raw_close(c);
}

static void
reply_and_free_server(void *arg, struct http_exchange *x)
{
	struct fixture *f = arg;

	reply_text(x, 200, "gone\n");
	http_server_free(f->server);
	f->server = NULL;
}

static void
test_server_freed_behind_its_reply(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c;

	f->conf.handler = reply_and_free_server;
	fixture_restart(f);
	c = fixture_connect(f);
	raw_send(c, POST);
	PUMP_UNTIL(f->loop, raw_at_end(c));
	raw_close(c);
}

static void
hangup_frees_server(void *arg)
{
	struct fixture *f = arg;

	f->hung_up++;
	http_server_free(f->server);
	f->server = NULL;
}

static void
test_server_freed_by_a_hangup(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = deferred(f, POST);

	http_exchange_on_hangup(f->kept, hangup_frees_server, f);
	raw_close(c);
	PUMP_UNTIL(f->loop, f->hung_up == 1);
	settle(f);
}

static void
test_client_leaves_before_it_says_anything(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		raw_close(fixture_connect(f));
		raw_abort(fixture_connect(f));
		loop_turn(f->loop, false);
	}
	settle(f);
	raw_close(fixture_connect(f));
	http_server_free(f->server);
	f->server = NULL;
	settle(f);
}

static void
test_client_leaves_in_the_middle(void **state)
{
	static const char *const parts[] = {"G", "GET / HTTP/1.1\r\n",
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n",
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab", "GET /\r\n\r\n"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct raw_client *c = fixture_connect(f);

		raw_send(c, parts[i]);
		pump_quiet(f->loop);
		raw_close(c);
		c = fixture_connect(f);
		raw_send(c, parts[i]);
		raw_abort(c); /* comes together with the bytes */
		pump_quiet(f->loop);
	}
	settle(f);
	assert_int_equal(f->handled, 0);
}

static void
drip(struct fixture *f, const char *begin)
{
	struct raw_client *c;
	int64_t last = 0;

	f->conf.receive_ms = 150;
	fixture_restart(f);
	c = fixture_connect(f);
	raw_send(c, begin);
	/* A byte every few milliseconds keeps no connection open. */
	for (int64_t began = clock_mono_ms(); !raw_at_end(c);) {
		if (clock_mono_ms() != last)
			raw_send_some(c, "a", 1);
		last = clock_mono_ms();
		pump_once(f->loop);
		assert_true(last - began < 20000);
	}
	assert_int_equal(f->handled, 0);
	raw_close(c);
}

static void
test_slow_head(void **state)
{
	drip(*state, "GET /");
}

static void
test_slow_body(void **state)
{
	drip(*state, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4096\r\n\r\n");
}

static void
test_idle_connections_are_closed(void **state)
{
	struct fixture *f = *state;
	struct raw_client *fresh;
	struct raw_client *used;

	f->conf.idle_ms = 100;
	fixture_restart(f);
	fresh = fixture_connect(f);
	used = fixture_connect(f);
	raw_send(used, GET);
	PUMP_UNTIL(f->loop, raw_has_answer(used, false));
	PUMP_UNTIL(f->loop, raw_at_end(used) && raw_at_end(fresh));
	assert_string_equal(raw_body(used), "hello\n");
	raw_close(used);
	raw_close(fresh);
}

static void
test_no_deadline_runs_against_our_own_work(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c;
	int64_t began;

	f->conf.idle_ms = 20;
	f->conf.receive_ms = 20;
	fixture_restart(f);
	c = deferred(f, GET);
	for (began = clock_mono_ms(); clock_mono_ms() - began < 200;)
		pump_once(f->loop);
	assert_int_equal(f->hung_up, 0);
	answer(f);
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	raw_close(c);
}

enum { LARGE = 64 << 20 };

static void
large_reply(void *arg, struct http_exchange *x)
{
	struct fixture *f = arg;
	size_t len = LARGE;
	char *body = calloc(1, len);

	f->handled++;
	http_exchange_reply(x,
	    &(struct http_reply){
		.status = 200,
		.content_type = "text/plain",
		.body = body,
		.body_len = len,
	    });
	free(body);
}

/* The end of a client's half comes before the end of a long reply, and takes nothing away. */
static void
test_half_closed_before_a_large_reply(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c;
	size_t total = 0;

	f->conf.handler = large_reply;
	fixture_restart(f);
	c = fixture_connect(f);
	raw_send(c, GET);
	shutdown(c->fd, SHUT_WR);
	PUMP_UNTIL(f->loop, f->handled == 1);
	pump_quiet(f->loop);
	for (int64_t end = clock_mono_ms() + PUMP_MAX_MS; !c->eof && clock_mono_ms() < end;) {
		raw_receive(c);
		assert_false(c->reset);
		total += c->len;
		c->len = 0;
		loop_turn(f->loop, false);
	}
	assert_true(total > LARGE);
	raw_close(c);
}

static void
test_client_that_does_not_read_its_reply(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c;

	f->conf.handler = large_reply;
	f->conf.receive_ms = 100;
	fixture_restart(f);
	c = fixture_connect(f);
	raw_send(c, GET);
	PUMP_UNTIL(f->loop, f->handled == 1);
	assert_int_equal(http_server_pending(f->server), 1);
	PUMP_UNTIL(f->loop, http_server_pending(f->server) == 0);
	raw_close(c);
}

static void
test_stop_accepting(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = deferred(f, GET);
	struct raw_client *late;

	http_server_stop_accepting(f->server);
	late = fixture_connect(f); /* the socket still listens */
	raw_send(late, GET);
	settle(f);
	assert_int_equal(f->handled, 1);
	answer(f);
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	f->defer = false;
	assert_true(http_server_serve(f->server, f->listener, NULL));
	PUMP_UNTIL(f->loop, raw_has_answer(late, false));
	raw_close(c);
	raw_close(late);
}

static void
test_listener_freed_first(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = deferred(f, GET);

	listener_free(f->listener);
	f->listener = NULL;
	answer(f);
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	raw_close(c);
}

/* As at a reload: the new server takes the listener, the old one finishes what it has. */
static void
test_listener_goes_to_another_server(void **state)
{
	struct fixture *f = *state;
	struct raw_client *c = deferred(f, GET);
	struct http_server *old = f->server;
	struct raw_client *next;

	fixture_serve(f);
	f->defer = false;
	next = fixture_connect(f);
	raw_send(next, GET);
	PUMP_UNTIL(f->loop, raw_has_answer(next, false));
	answer(f);
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	http_server_free(old);
	raw_close(c);
	raw_close(next);
}

/* Connections that say nothing do not keep others out. */
static void
test_idle_connections_make_room(void **state)
{
	enum { IDLE = 60 };

	struct fixture *f = *state;
	struct raw_client *idle[IDLE];
	struct raw_client *c;
	struct rlimit old;
	struct rlimit now;

	getrlimit(RLIMIT_NOFILE, &old);
	for (int i = 0; i < IDLE; i++)
		idle[i] = fixture_connect(f);
	c = fixture_connect(f);
	raw_send(c, GET);
	now = old;
	now.rlim_cur = (rlim_t)c->fd + 40; /* room for about 32 of them, and the reserve */
	setrlimit(RLIMIT_NOFILE, &now);
	PUMP_UNTIL(f->loop, raw_has_answer(c, false));
	assert_int_equal(raw_status(c), 200);
	setrlimit(RLIMIT_NOFILE, &old);
	raw_close(c);
	for (int i = 0; i < IDLE; i++)
		raw_close(idle[i]);
}

static void
test_many_at_once(void **state)
{
	enum { MANY = 200 };

	struct fixture *f = *state;
	struct raw_client *c[MANY];

	f->conf.max_body = 1000;
	fixture_restart(f);
	for (int i = 0; i < MANY; i++) {
		c[i] = fixture_connect(f);
		raw_send(c[i], POST);
	}
	for (int i = 0; i < MANY; i++) {
		PUMP_UNTIL(f->loop, raw_has_answer(c[i], false));
		raw_close(c[i]);
	}
	assert_int_equal(f->handled, MANY);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
	    T(test_client_waits),
	    T(test_client_closes),
	    T(test_client_resets),
	    T(test_client_half_closes),
	    T(test_half_closed_before_the_handler),
	    T(test_nobody_listens_for_the_hangup),
	    T(test_client_pipelines_while_it_waits),
	    T(test_client_floods_and_waits),
	    T(test_client_floods_and_closes),
	    T(test_client_closes_as_the_reply_comes),
	    T(test_server_freed_while_exchanges_wait),
	    T(test_server_freed_after_the_client_left),
	    T(test_server_freed_by_its_handler),
	    T(test_server_freed_behind_its_reply),
	    T(test_server_freed_by_a_hangup),
	    T(test_client_leaves_before_it_says_anything),
	    T(test_client_leaves_in_the_middle),
	    T(test_slow_head),
	    T(test_slow_body),
	    T(test_idle_connections_are_closed),
	    T(test_no_deadline_runs_against_our_own_work),
	    T(test_half_closed_before_a_large_reply),
	    T(test_client_that_does_not_read_its_reply),
	    T(test_stop_accepting),
	    T(test_listener_freed_first),
	    T(test_listener_goes_to_another_server),
	    T(test_idle_connections_make_room),
	    T(test_many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
