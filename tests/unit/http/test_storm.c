/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clients that do anything at any time, in an order a fixed seed decides: whatever they do, the
 * server lives and the next honest request is answered. */
#include "tests/unit/http/server_fixture.h"

enum { CLIENTS = 12, STEPS = 4000, EXCHANGES = 64 };

struct storm {
	struct fixture *f;
	struct raw_client *clients[CLIENTS];
	struct slot {
		struct storm *storm;
		struct http_exchange *x;
	} slots[EXCHANGES];
	uint32_t random;
	int replied;
	int hung_up;
};

static uint32_t
draw(struct storm *s, uint32_t bound)
{
	s->random = s->random * 1664525 + 1013904223;
	return (s->random >> 8) % bound;
}

static void
storm_hangup(void *arg)
{
	struct slot *slot = arg;

	assert_non_null(slot->x);
	slot->x = NULL;
	slot->storm->hung_up++;
}

static void
storm_reply(struct storm *s, struct http_exchange *x)
{
	static char large[100000];

	s->replied++;
	if (draw(s, 10) == 0) {
		http_exchange_reply(x,
		    &(struct http_reply){
			.status = 200,
			.content_type = "text/plain",
			.body = large,
			.body_len = sizeof(large),
			.close = draw(s, 2) == 0,
		    });
	} else {
		reply_text(x, 200, "ok");
	}
}

static void
storm_handler(void *arg, struct http_exchange *x)
{
	struct storm *s = arg;
	struct slot *slot = &s->slots[draw(s, EXCHANGES)];

	if (slot->x != NULL || draw(s, 3) == 0) {
		storm_reply(s, x);
		return;
	}
	slot->x = x;
	http_exchange_on_hangup(x, storm_hangup, slot);
}

static void
reply_to_one(struct storm *s)
{
	struct slot *slot = &s->slots[draw(s, EXCHANGES)];
	struct http_exchange *x = slot->x;

	slot->x = NULL;
	if (x != NULL)
		storm_reply(s, x);
}

static void
send_something(struct storm *s, struct raw_client *c)
{
	static const char *const texts[] = {
	    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
	    "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
	    "GET / HTTP/1.0\r\n\r\n",
	    "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n",
	    "GET /\r\n\r\n",
	    "HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
	    "GET / HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n",
	    "abc",
	    "\r\n",
	    "G",
	};
	static char junk[20000];
	const char *text = texts[draw(s, sizeof(texts) / sizeof(texts[0]))];
	size_t len = strlen(text);

	if (draw(s, 20) == 0)
		raw_send_some(c, junk, sizeof(junk));
	else if (draw(s, 5) == 0)
		raw_send_some(c, text, draw(s, (uint32_t)len) + 1);
	else
		raw_send_some(c, text, len);
}

static void
step(struct storm *s)
{
	struct raw_client **c = &s->clients[draw(s, CLIENTS)];

	if (*c == NULL) {
		*c = fixture_connect(s->f);
		return;
	}
	(*c)->len = 0;
	switch (draw(s, 12)) {
	case 0:
		raw_close(*c);
		*c = NULL;
		break;
	case 1:
		raw_abort(*c);
		*c = NULL;
		break;
	case 2:
		shutdown((*c)->fd, SHUT_WR);
		break;
	case 3:
	case 4:
		raw_receive(*c);
		break;
	case 5:
	case 6:
		reply_to_one(s);
		break;
	default:
		send_something(s, *c);
		break;
	}
}

static void
calm_down(struct storm *s)
{
	for (int i = 0; i < CLIENTS; i++) {
		if (s->clients[i] != NULL)
			raw_close(s->clients[i]);
		s->clients[i] = NULL;
	}
	for (int i = 0; i < EXCHANGES; i++) {
		if (s->slots[i].x != NULL)
			storm_reply(s, s->slots[i].x);
		s->slots[i].x = NULL;
	}
}

static void
test_storm(void **state)
{
	struct storm *s = calloc(1, sizeof(*s));
	struct raw_client *c;

	s->f = *state;
	for (int i = 0; i < EXCHANGES; i++)
		s->slots[i].storm = s;
	s->f->conf.handler = storm_handler;
	s->f->conf.arg = s;
	for (uint32_t seed = 1; seed <= 3; seed++) {
		s->random = seed;
		fixture_restart(s->f);
		for (int i = 0; i < STEPS; i++) {
			step(s);
			if (draw(s, 3) != 0)
				loop_turn(s->f->loop, false);
		}
		if (seed != 2) /* freed in the middle of it */
			calm_down(s);
	}
	calm_down(s);
	pump_quiet(s->f->loop);
	assert_true(s->replied > 100);
	assert_true(s->hung_up > 100);

	s->f->conf.handler = fixture_handler;
	s->f->conf.arg = s->f;
	fixture_restart(s->f);
	c = fixture_connect(s->f);
	raw_send(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	PUMP_UNTIL(s->f->loop, raw_has_answer(c, false));
	assert_int_equal(raw_status(c), 200);
	raw_close(c);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_storm, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
