/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls that are started and cancelled at any time, against servers that answer, fail, hang and
 * hang up in an order a fixed seed decides: every call that is not cancelled comes back once, and
 * nothing is left behind. */
#include "tests/unit/http/client_fixture.h"

enum { CALLS = 10, STEPS = 3000, LINES = 97 };

struct storm {
	struct fixture *f;
	struct script_server *servers[2]; /* plain, TLS */
	struct script_line script[LINES];
	struct asked calls[CALLS];
	uint32_t random;
	int started;
	int answered;
};

static uint32_t
draw(struct storm *s, uint32_t bound)
{
	s->random = s->random * 1664525 + 1013904223;
	return (s->random >> 8) % bound;
}

static void
write_script(struct storm *s)
{
	static const struct script_line lines[] = {
	    {OK_ANSWER, KEEP},
	    {OK_ANSWER, KEEP},
	    {OK_ANSWER, KEEP},
	    {OK_ANSWER, CLOSE},
	    {OK_ANSWER OK_ANSWER, KEEP},
	    {NULL, CLOSE},
	    {NULL, RESET},
	    {NULL, KEEP},
	    {"x\r\n", KEEP},
	    {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", CLOSE},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nhello", KEEP},
	    {"HTTP/1.1 103 Early\r\n\r\n" OK_ANSWER, KEEP},
	    {"HTTP/1.1 100 Continue\r\n\r\n" OK_ANSWER, KEEP},
	};

	for (int i = 0; i < LINES; i++)
		s->script[i] = lines[draw(s, sizeof(lines) / sizeof(lines[0]))];
}

static void
start_call(struct storm *s, struct asked *a)
{
	struct script_server *server = s->servers[draw(s, 2)];
	struct uri uri;

	server->requests %= LINES;
	s->f->server = server;
	uri = server_uri(s->f, server->tls != NULL ? "https" : "http",
	    draw(s, 3) == 0 ? "localhost" : "127.0.0.1");
	s->started++;
	ask(s->f, a,
	    &(struct http_call){
		.uri = &uri,
		.post = draw(s, 2) == 0,
		.body = "body",
		.body_len = 4,
		.fresh = draw(s, 8) == 0,
		.timeout_ms = 1 + draw(s, 300),
	    });
}

static void
step(struct storm *s)
{
	struct asked *a = &s->calls[draw(s, CALLS)];

	if (a->slot == NULL) {
		assert_true(a->done <= 1);
		s->answered += a->status == 200;
		start_call(s, a);
	} else if (draw(s, 4) == 0) {
		op_cancel(&a->slot);
	} else if (draw(s, 100) == 0) {
		script_hang_up(s->servers[draw(s, 2)]);
	}
}

static void
test_storm(void **state)
{
	struct storm *s = calloc(1, sizeof(*s));

	s->f = *state;
	for (uint32_t seed = 1; seed <= 2; seed++) {
		s->random = seed;
		write_script(s);
		s->servers[0] = script_serve(s->f->loop, NULL, s->script, LINES);
		s->servers[1] = script_serve(s->f->loop, script_tls(&s->f->leaf), s->script, LINES);
		client_restart(s->f);
		for (int i = 0; i < STEPS; i++) {
			step(s);
			if (draw(s, 2) == 0)
				loop_turn(s->f->loop, false);
		}
		for (int i = 0; seed == 1 && i < CALLS; i++)
			PUMP_UNTIL(s->f->loop, s->calls[i].slot == NULL);
		http_client_free(s->f->client);
		s->f->client = NULL;
		for (int i = 0; i < CALLS; i++)
			assert_null(s->calls[i].slot);
		memset(s->calls, 0, sizeof(s->calls));
		script_free(s->servers[0]);
		script_free(s->servers[1]);
		s->f->server = NULL;
		pump_quiet(s->f->loop);
	}
	assert_true(s->answered > 20);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_storm, client_setup, client_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
