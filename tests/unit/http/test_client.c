/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/http/client_fixture.h"

#define SERVE(f, ...)                                                                              \
	static const struct script_line script_[] = {__VA_ARGS__};                                 \
	serve(f, script_, sizeof(script_) / sizeof(script_[0]))

static void
test_get(void **state)
{
	struct fixture *f = *state;
	struct asked a;
	char expected[256];

	SERVE(f, {"HTTP/1.1 200 OK\r\nX-Test: a\r\nX-Test: b\r\nContent-Length: 5\r\n\r\nhello"});
	get(f, &a);
	PUMP_UNTIL(f->loop, a.done);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "hello");
	assert_string_equal(a.header, "a");
	snprintf(expected, sizeof(expected),
	    "GET /x?y HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: acmems/test\r\n\r\n",
	    listener_port(f->server->listener));
	assert_string_equal(f->server->last, expected);
}

static void
test_post(void **state)
{
	struct fixture *f = *state;
	struct asked a;
	struct uri uri;

	SERVE(f, {"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"});
	uri = server_uri(f, "http", "localhost");
	ask(f, &a,
	    &(struct http_call){
		.post = true,
		.uri = &uri,
		.content_type = "application/jose+json",
		.accept = "text/plain",
		.body = "{}",
		.body_len = 2,
		.timeout_ms = 60000,
	    });
	PUMP_UNTIL(f->loop, a.done);
	assert_int_equal(a.status, 201);
	assert_int_equal(a.len, 0);
	assert_string_equal(a.body, "");
	assert_memory_equal(f->server->last, "POST /x?y HTTP/1.1\r\nHost: localhost:", 36);
	assert_non_null(strstr(f->server->last, "\r\nContent-Type: application/jose+json\r\n"));
	assert_non_null(strstr(f->server->last, "\r\nAccept: text/plain\r\n"));
	assert_non_null(strstr(f->server->last, "\r\nContent-Length: 2\r\n\r\n{}"));
	assert_null(strstr(f->server->last, "Accept-Language"));
}

static void
test_post_with_nothing(void **state)
{
	struct fixture *f = *state;
	struct asked a;
	struct uri uri;

	SERVE(f, {OK_ANSWER});
	uri = server_uri(f, "http", "127.0.0.1");
	ask(f, &a, &(struct http_call){.post = true, .uri = &uri, .timeout_ms = 60000});
	PUMP_UNTIL(f->loop, a.done);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(f->server->last, "\r\nContent-Length: 0\r\n"));
}

static void
test_head(void **state)
{
	struct fixture *f = *state;
	struct asked a;
	struct uri uri;

	SERVE(f, {"HTTP/1.1 200 OK\r\nX-Test: nonce\r\nContent-Length: 99\r\n\r\n"},
	    {"HTTP/1.1 200 OK\r\nX-Test: other\r\nConnection: keep-alive\r\n\r\n"});
	uri = server_uri(f, "http", "127.0.0.1");
	for (int i = 0; i < 2; i++) {
		ask(f, &a, &(struct http_call){.head = true, .uri = &uri, .timeout_ms = 60000});
		PUMP_UNTIL(f->loop, a.done);
		assert_int_equal(a.status, 200);
		assert_int_equal(a.len, 0);
		assert_string_equal(a.header, i == 0 ? "nonce" : "other");
	}
	assert_int_equal(f->server->accepted, 1);
}

struct shape {
	struct script_line line;
	const char *body;
	int connections; /* after a second call */
};

/* Answers framed in all the ways there are. */
static void
test_framing(void **state)
{
	static const struct shape shapes[] = {
	    {{OK_ANSWER, KEEP}, "hello", 1},
	    {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	      "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
		 KEEP},
		"hello", 1},
	    {{"HTTP/1.1 200 OK\r\n\r\nhello", CLOSE}, "hello", 2},
	    {{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", CLOSE}, "hello", 2},
	    {{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", KEEP},
		"hello", 2},
	    {{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", CLOSE}, "hello", 2},
	    {{"HTTP/1.1 204 No Content\r\n\r\n", KEEP}, "", 1},
	    {{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", KEEP}, "", 1},
	    /* more than was announced: it must not become the next answer */
	    {{OK_ANSWER OK_ANSWER, KEEP}, "hello", 2},
	};
	struct fixture *f = *state;
	struct asked a;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		serve(f, &shapes[i].line, 1);
		for (int n = 0; n < 2; n++) {
			get(f, &a);
			PUMP_UNTIL(f->loop, a.done);
			if (a.status == 0)
				fail_msg("shape %zu: %s", i, a.error.detail);
			assert_string_equal(a.body, shapes[i].body);
			pump_quiet(f->loop); /* the end of the connection arrives */
		}
		assert_int_equal(f->server->accepted, shapes[i].connections);
	}
}

struct wrong {
	struct script_line line;
	enum err_kind kind;
	const char *text;
};

static void
test_wrong_answers(void **state)
{
	static const struct wrong wrongs[] = {
	    {{NULL, CLOSE}, ERR_UNREACHABLE, "closed the connection without an answer"},
	    {{NULL, RESET}, ERR_UNREACHABLE, "closed the connection without an answer"},
	    {{"HTTP/1.1 200 OK\r\nContent-Len", CLOSE}, ERR_UNREACHABLE, "in the middle"},
	    {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", CLOSE}, ERR_UNREACHABLE,
		"in the middle"},
	    {{"SSH-2.0-OpenSSH_9.2\r\n", KEEP}, ERR_UPSTREAM, "not HTTP"},
	    {{"HTTP/1.1 abc\r\n\r\n", KEEP}, ERR_UPSTREAM, "not HTTP"},
	    {{"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_ANSWER, KEEP}, ERR_UPSTREAM, "103"},
	    {{"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", KEEP}, ERR_UPSTREAM, "999"},
	    {{"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nhello", KEEP}, ERR_UPSTREAM,
		"without a length"},
	    {{"HTTP/1.1 200 OK\r\nContent-Length: 10001\r\n\r\n", KEEP}, ERR_UPSTREAM,
		"larger than 10000"},
	    {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000\r\n", KEEP},
		ERR_UPSTREAM, "larger than 10000"},
	    {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", KEEP}, ERR_UPSTREAM,
		"malformed"},
	    {{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", KEEP}, ERR_UPSTREAM, "not HTTP"},
	};
	struct fixture *f = *state;
	struct asked a;

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		serve(f, &wrongs[i].line, 1);
		get(f, &a);
		PUMP_UNTIL(f->loop, a.done);
		assert_error(&a, wrongs[i].kind, wrongs[i].text);
		assert_non_null(strstr(a.error.detail, "127.0.0.1:"));
		assert_false(a.stale);
		assert_int_equal(f->server->requests, 1); /* nothing is sent twice */
	}
}

static char *
repeated(const char *head, char c, size_t n)
{
	size_t len = strlen(head);
	char *s = calloc(1, len + n + 1);

	memcpy(s, head, len);
	memset(s + len, c, n);
	return s;
}

static void
test_endless_answers(void **state)
{
	static const char *const heads[] = {
	    "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 ", "HTTP/1.1 200 OK\r\n\r\n"};
	struct fixture *f = *state;
	struct asked a;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		char *reply = repeated(heads[i], 'a', 30000);
		struct script_line line = {reply, KEEP};

		serve(f, &line, 1);
		get(f, &a);
		PUMP_UNTIL(f->loop, a.done);
		assert_error(&a, ERR_UPSTREAM, "127.0.0.1");
		script_free(f->server);
		f->server = NULL;
		free(reply);
	}
}

/* evhttp reads the line with the size of a chunk without a limit of its own. */
static void
test_endless_chunk_size(void **state)
{
	enum { SIZE = 32 << 20 };

	struct fixture *f = *state;
	char *reply = repeated("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", '0', SIZE);
	struct script_line line = {reply, KEEP};
	struct bufferevent *server_side;
	struct asked a;

	for (int tls = 0; tls < 2; tls++) {
		if (tls)
			serve_tls(f, &f->leaf, &line, 1);
		else
			serve(f, &line, 1);
		get(f, &a);
		PUMP_UNTIL(f->loop, f->server->requests == 1);
		server_side = TAILQ_FIRST(&f->server->peers)->bev;
		bufferevent_setcb(server_side, NULL, NULL, NULL, NULL);
		PUMP_UNTIL(f->loop, a.done);
		assert_error(&a, ERR_UPSTREAM, "malformed");
		assert_true(evbuffer_get_length(bufferevent_get_output(server_side)) > SIZE / 2);
	}
	script_free(f->server);
	f->server = NULL;
	free(reply);
}

static void
test_interim_100(void **state)
{
	struct fixture *f = *state;
	struct asked a;
	struct uri uri;

	SERVE(f, {"HTTP/1.1 100 Continue\r\n\r\n" OK_ANSWER});
	uri = server_uri(f, "http", "127.0.0.1");
	ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 2000});
	PUMP_UNTIL(f->loop, a.done);
	assert_true(a.status == 200 || a.status == 0);
}

static void
test_nobody_listens(void **state)
{
	struct fixture *f = *state;
	struct uri name;
	struct uri literal;
	struct asked a;

	SERVE(f, {OK_ANSWER});
	literal = server_uri(f, "http", "127.0.0.1");
	name = server_uri(f, "https", "localhost");
	script_free(f->server);
	f->server = NULL;
	ask(f, &a, &(struct http_call){.uri = &literal, .timeout_ms = 60000});
	PUMP_UNTIL(f->loop, a.done);
	assert_error(&a, ERR_UNREACHABLE, "Connection refused");
	ask(f, &a, &(struct http_call){.uri = &name, .timeout_ms = 60000});
	PUMP_UNTIL(f->loop, a.done);
	assert_error(&a, ERR_UNREACHABLE, "cannot connect to localhost:");
}

static void
test_unknown_host(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "http://no.such.host.invalid/";
	struct uri uri;
	struct asked a;

	assert_true(uri_parse(text, strlen(text), &uri, NULL));
	ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 1000});
	PUMP_UNTIL(f->loop, a.done);
	assert_int_equal(a.error.kind, ERR_UNREACHABLE);
	assert_non_null(strstr(a.error.detail, "no.such.host.invalid"));
}

/* An address no packet can reach fails inside the call that starts it. */
static void
test_unreachable_at_once(void **state)
{
	static const char *const texts[] = {
	    "http://255.255.255.255/", "https://255.255.255.255/", "http://[fe80::1]/"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct uri uri;
		struct asked a;

		assert_true(uri_parse(texts[i], strlen(texts[i]), &uri, NULL));
		ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 2000});
		PUMP_UNTIL(f->loop, a.done);
		assert_error(&a, ERR_UNREACHABLE, "cannot connect to");
	}
}

static void
test_timeout(void **state)
{
	struct fixture *f = *state;
	struct uri uri;
	struct asked a;

	SERVE(f, {NULL, KEEP});
	uri = server_uri(f, "http", "127.0.0.1");
	ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 100});
	PUMP_UNTIL(f->loop, a.done);
	assert_error(&a, ERR_UNREACHABLE, "does not answer in time");
	ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 0});
	PUMP_UNTIL(f->loop, a.done);
	assert_error(&a, ERR_UNREACHABLE, "does not answer");
}

static void
test_kept_connections(void **state)
{
	struct fixture *f = *state;
	struct asked a;

	SERVE(f, {OK_ANSWER});
	for (int i = 0; i < 5; i++) {
		get(f, &a);
		PUMP_UNTIL(f->loop, a.done);
		assert_int_equal(a.status, 200);
	}
	assert_int_equal(f->server->accepted, 1);
	assert_int_equal(f->server->requests, 5);
}

static void
test_fresh_connection(void **state)
{
	struct fixture *f = *state;
	struct asked a;
	struct uri uri;

	f->conf.max_connections = 1;
	client_restart(f);
	SERVE(f, {OK_ANSWER});
	uri = server_uri(f, "http", "127.0.0.1");
	for (int i = 0; i < 3; i++) {
		ask(f, &a, &(struct http_call){.uri = &uri, .fresh = true, .timeout_ms = 60000});
		PUMP_UNTIL(f->loop, a.done);
		assert_int_equal(a.status, 200);
	}
	assert_int_equal(f->server->accepted, 3);
	get(f, &a);
	PUMP_UNTIL(f->loop, a.done);
	assert_int_equal(f->server->accepted, 3);
}

static void
test_idle_connection_is_closed(void **state)
{
	struct fixture *f = *state;
	struct asked a;

	f->conf.idle_ms = 50;
	client_restart(f);
	SERVE(f, {OK_ANSWER});
	get(f, &a);
	PUMP_UNTIL(f->loop, a.done);
	PUMP_UNTIL(f->loop, TAILQ_EMPTY(&f->server->peers));
	get(f, &a);
	PUMP_UNTIL(f->loop, a.done);
	assert_int_equal(a.status, 200);
	assert_int_equal(f->server->accepted, 2);
}

static void
test_peer_closes_an_idle_connection(void **state)
{
	struct fixture *f = *state;
	struct asked a;

	SERVE(f, {OK_ANSWER});
	get(f, &a);
	PUMP_UNTIL(f->loop, a.done);
	script_hang_up(f->server);
	pump_quiet(f->loop); /* noticed */
	get(f, &a);
	PUMP_UNTIL(f->loop, a.done);
	assert_int_equal(a.status, 200);
	assert_int_equal(f->server->accepted, 2);
}

/* A kept connection that has ended is none: the next call makes a new one, or says why not. */
static void
test_server_goes_away(void **state)
{
	struct fixture *f = *state;
	struct asked a;
	struct uri uri;

	SERVE(f, {OK_ANSWER});
	uri = server_uri(f, "http", "127.0.0.1");
	get(f, &a);
	PUMP_UNTIL(f->loop, a.done);
	script_free(f->server);
	f->server = NULL;
	pump_quiet(f->loop);
	ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 60000});
	PUMP_UNTIL(f->loop, a.done);
	assert_error(&a, ERR_UNREACHABLE, "Connection refused");
	assert_false(a.stale);
}

static void
test_stale_connection(void **state)
{
	static const enum script_end ends[] = {CLOSE, RESET};
	struct fixture *f = *state;
	struct asked a;
	struct uri uri;

	for (size_t i = 0; i < 2; i++) {
		struct script_line script[] = {
		    {OK_ANSWER, KEEP}, {NULL, ends[i]}, {OK_ANSWER, KEEP}};

		serve(f, script, 3);
		get(f, &a);
		PUMP_UNTIL(f->loop, a.done);
		get(f, &a); /* the server ends the kept connection instead of answering */
		PUMP_UNTIL(f->loop, a.done);
		assert_error(&a, ERR_UNREACHABLE, "closed the connection");
		assert_true(a.stale);
		assert_int_equal(f->server->requests, 2);
		uri = server_uri(f, "http", "127.0.0.1");
		ask(f, &a, &(struct http_call){.uri = &uri, .fresh = true, .timeout_ms = 60000});
		PUMP_UNTIL(f->loop, a.done);
		assert_int_equal(a.status, 200);
		script_free(f->server);
		f->server = NULL;
	}
}

static void
test_half_an_answer_is_not_stale(void **state)
{
	struct fixture *f = *state;
	struct asked a;

	SERVE(f, {OK_ANSWER}, {"HTTP", CLOSE});
	get(f, &a);
	PUMP_UNTIL(f->loop, a.done);
	get(f, &a);
	PUMP_UNTIL(f->loop, a.done);
	assert_error(&a, ERR_UNREACHABLE, "in the middle");
	assert_false(a.stale);
}

static void
test_calls_wait_for_a_place(void **state)
{
	enum { CALLS = 7 };

	struct fixture *f = *state;
	struct asked a[CALLS];

	SERVE(f, {OK_ANSWER});
	for (int i = 0; i < CALLS; i++)
		get(f, &a[i]);
	op_cancel(&a[5].slot); /* one that waits */
	for (int i = 0; i < CALLS; i++) {
		if (i != 5)
			PUMP_UNTIL(f->loop, a[i].done);
	}
	assert_int_equal(a[5].done, 0);
	assert_int_equal(f->server->accepted, 2);
	assert_int_equal(f->server->requests, CALLS - 1);
}

static void
test_deadline_holds_while_waiting(void **state)
{
	struct fixture *f = *state;
	struct asked a[3];
	struct uri uri;

	SERVE(f, {NULL, KEEP});
	get(f, &a[0]);
	get(f, &a[1]);
	uri = server_uri(f, "http", "127.0.0.1");
	ask(f, &a[2], &(struct http_call){.uri = &uri, .timeout_ms = 50});
	PUMP_UNTIL(f->loop, a[2].done);
	assert_error(&a[2], ERR_UNREACHABLE, "busy");
	op_cancel(&a[0].slot);
	op_cancel(&a[1].slot);
}

/* A failed connection gives its place to the next call. */
static void
test_places_come_back(void **state)
{
	struct fixture *f = *state;
	struct asked a[6];

	SERVE(f, {NULL, RESET}, {"x\r\n", KEEP}, {OK_ANSWER, CLOSE}, {NULL, CLOSE}, {OK_ANSWER});
	for (int i = 0; i < 6; i++)
		get(f, &a[i]);
	for (int i = 0; i < 6; i++)
		PUMP_UNTIL(f->loop, a[i].done);
	/* One may meet the end of a connection that was just kept. */
	assert_true(f->server->requests >= 5);
}

/* Takes connections to its port but never answers them: their backlog is full. */
static int
deaf_socket(uint16_t port, int filler[4])
{
	struct listen_address a = loopback_address();
	struct sockaddr_in *in = (struct sockaddr_in *)&a.sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	in->sin_port = htons(port);
	assert_int_equal(bind(fd, (struct sockaddr *)in, sizeof(*in)), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 4; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(filler[i], (struct sockaddr *)in, sizeof(*in));
	}
	return fd;
}

static bool
serve_on_v6(struct fixture *f, uint16_t port)
{
	struct script_server *server = f->server;
	struct listen_address *v6;
	struct listener *l;
	char spec[32];
	size_t n;

	snprintf(spec, sizeof(spec), "[::1]:%u", port);
	assert_true(listen_addresses(spec, &v6, &n, NULL));
	l = listener_open(f->loop, v6, NULL, NULL);
	free(v6);
	if (l == NULL)
		return false;
	listener_free(server->listener);
	server->listener = l;
	server->lent = listener_lend(l, script_recall, server);
	evconnlistener_set_cb(server->lent, script_accept, server);
	return true;
}

/* A server on ::1 alone: localhost is 127.0.0.1 first. */
static void
test_next_address(void **state)
{
	struct fixture *f = *state;
	struct asked a;
	struct uri uri;

	SERVE(f, {OK_ANSWER});
	uri = server_uri(f, "http", "localhost");
	if (!serve_on_v6(f, uri.port))
		skip();
	ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 60000});
	PUMP_UNTIL(f->loop, a.done);
	assert_int_equal(a.status, 200);
}

/* One address takes no connection, the other one does. */
static void
test_next_address_after_silence(void **state)
{
	struct fixture *f = *state;
	int filler[4];
	struct asked a;
	struct uri uri;
	int deaf;

	SERVE(f, {OK_ANSWER});
	uri = server_uri(f, "http", "localhost");
	if (!serve_on_v6(f, uri.port))
		skip();
	deaf = deaf_socket(uri.port, filler);
	ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 1000});
	PUMP_UNTIL(f->loop, a.done);
	assert_int_equal(a.status, 200);
	for (int i = 0; i < 4; i++)
		close(filler[i]);
	close(deaf);
}

/* Names that all mean this machine: a CA may name many origins. */
static void
test_many_origins(void **state)
{
	struct fixture *f = *state;
	struct asked a;
	char host[32];

	SERVE(f, {OK_ANSWER, CLOSE});
	for (int i = 0; i < 40; i++) {
		struct uri uri;

		snprintf(host, sizeof(host), "o%d.localhost", i);
		uri = server_uri(f, "http", host);
		ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 60000});
		PUMP_UNTIL(f->loop, a.done);
		assert_int_equal(a.status, 200);
		pump_once(f->loop);
	}
}

/* The result waits for the end of the turn, and is not wanted any more. */
static void
test_cancelled_with_its_result(void **state)
{
	struct fixture *f = *state;
	struct uri uri;
	struct asked a;

	SERVE(f, {OK_ANSWER});
	uri = server_uri(f, "http", "127.0.0.1");
	strcpy(uri.host, "");
	for (int turns = 0; turns < 6; turns++) {
		ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 60000});
		for (int i = 0; i < turns; i++)
			loop_turn(f->loop, false);
		op_cancel(&a.slot);
	}
	ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 60000});
	PUMP_UNTIL(f->loop, a.done);
	assert_int_equal(a.status, 0);
}

struct chain {
	struct fixture *f;
	struct asked next;
	struct op *slot;
	int done;
	bool free_client;
};

static void
chained(void *arg, const struct http_answer *answer, const struct err *e)
{
	struct chain *c = arg;

	c->done++;
	if (c->free_client) {
		http_client_free(c->f->client);
		c->f->client = NULL;
		assert_true(answer->status == 0 || strcmp(answer->body, "hello") == 0);
		return;
	}
	get(c->f, &c->next);
}

static void
test_completion_starts_the_next(void **state)
{
	struct fixture *f = *state;
	struct chain c = {.f = f};
	struct uri uri;

	f->conf.max_connections = 1;
	client_restart(f);
	SERVE(f, {OK_ANSWER});
	uri = server_uri(f, "http", "127.0.0.1");
	http_call_start(
	    f->client, &(struct http_call){.uri = &uri, .timeout_ms = 60000}, chained, &c, &c.slot);
	PUMP_UNTIL(f->loop, c.next.done);
	assert_int_equal(f->server->accepted, 1); /* on the connection just used */
}

static void
test_completion_frees_the_client(void **state)
{
	static const struct script_line ends[] = {
	    {OK_ANSWER, KEEP}, {OK_ANSWER, CLOSE}, {NULL, CLOSE}, {NULL, KEEP}, {"x\r\n", KEEP}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct chain c = {.f = f, .free_client = true};
		struct asked waiting[3];
		struct uri uri;

		client_restart(f);
		serve(f, &ends[i], 1);
		uri = server_uri(f, "http", "127.0.0.1");
		http_call_start(f->client, &(struct http_call){.uri = &uri, .timeout_ms = 200},
		    chained, &c, &c.slot);
		for (int n = 0; n < 3; n++)
			get(f, &waiting[n]);
		PUMP_UNTIL(f->loop, c.done);
		for (int n = 0; n < 3; n++)
			assert_null(waiting[n].slot);
		pump_quiet(f->loop);
	}
}

/* Cancels after each number of turns there may be. */
static void
cancel_everywhere(struct fixture *f, const struct cert *leaf, const struct script_line *line)
{
	for (int turns = 0; turns < 25; turns++) {
		struct asked a;

		client_restart(f);
		if (leaf != NULL)
			serve_tls(f, leaf, line, 1);
		else
			serve(f, line, 1);
		get(f, &a);
		for (int i = 0; i < turns; i++)
			loop_turn(f->loop, false);
		op_cancel(&a.slot);
		assert_null(a.slot);
		get(f, &a);
		for (int i = 0; i < turns; i++)
			loop_turn(f->loop, false);
		http_client_free(f->client);
		f->client = NULL;
		assert_null(a.slot);
		pump_once(f->loop);
	}
}

static void
test_cancel_at_every_stage(void **state)
{
	static const struct script_line lines[] = {
	    {OK_ANSWER, KEEP}, {OK_ANSWER, CLOSE}, {NULL, RESET}, {NULL, KEEP}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		cancel_everywhere(f, NULL, &lines[i]);
		cancel_everywhere(f, &f->leaf, &lines[i]);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, client_setup, client_teardown)
	const struct CMUnitTest tests[] = {
	    T(test_get),
	    T(test_post),
	    T(test_post_with_nothing),
	    T(test_head),
	    T(test_framing),
	    T(test_wrong_answers),
	    T(test_endless_answers),
	    T(test_endless_chunk_size),
	    T(test_interim_100),
	    T(test_nobody_listens),
	    T(test_unknown_host),
	    T(test_unreachable_at_once),
	    T(test_timeout),
	    T(test_kept_connections),
	    T(test_fresh_connection),
	    T(test_idle_connection_is_closed),
	    T(test_peer_closes_an_idle_connection),
	    T(test_server_goes_away),
	    T(test_stale_connection),
	    T(test_half_an_answer_is_not_stale),
	    T(test_calls_wait_for_a_place),
	    T(test_deadline_holds_while_waiting),
	    T(test_places_come_back),
	    T(test_next_address),
	    T(test_next_address_after_silence),
	    T(test_many_origins),
	    T(test_cancelled_with_its_result),
	    T(test_completion_starts_the_next),
	    T(test_completion_frees_the_client),
	    T(test_cancel_at_every_stage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
