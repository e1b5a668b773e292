/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kind on top of the responder: what can be asked over DNS while something is presented. */
#include "tests/unit/ev/pump.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "challenge/challenge.h"
#include "challenge/challenges.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "tests/unit/dns/ports.h"

static struct loop *loop;
static struct challenges *all;
static struct challenge *challenge;
static int udp;

struct presenter {
	struct acme_answer answer;
	struct identifier id;
	struct op *op;
	bool called;
	bool ok;
	unsigned fetched;
};

static void
start(const char *zone)
{
	char listener[32], *listeners[] = {listener};
	struct challenge_conf conf = {
	    .name = "dns",
	    .type = CHALLENGE_DNS01_SERVER,
	    .dns01_server = {.listeners = listeners, .listener_count = 1, .zone = (char *)zone},
	};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned port = free_port();
	struct err e;

	snprintf(listener, sizeof(listener), "127.0.0.1:%u", port);
	loop = loop_new(&e);
	all = challenges_new(loop, NULL, NULL);
	challenge = challenge_new(all, &conf, &e);
	if (challenge == NULL || !challenge_serve(challenge, true, &e))
		fail_msg("%s", e.detail);
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	to.sin_port = htons((uint16_t)port);
	assert_int_equal(connect(udp, (struct sockaddr *)&to, sizeof(to)), 0);
}

static int
stop(void **state)
{
	challenge_free(challenge);
	challenges_free(all);
	close(udp);
	loop_free(loop);
	return 0;
}

static int
start_any(void **state)
{
	start(NULL);
	return 0;
}

static int
start_zone(void **state)
{
	start("acme.example.net");
	return 0;
}

/* ---- the solver's user ---- */

static void
presented(void *arg, const struct err *e)
{
	struct presenter *p = arg;

	p->called = true;
	p->ok = e == NULL;
}

static void
fetched(void *arg)
{
	((struct presenter *)arg)->fetched++;
}

static void
present(struct presenter *p, const char *name, const char *token)
{
	struct acme_solver *solver = challenge_solver(challenge);
	struct err e;

	assert_true(identifier_dns(name, strlen(name), &p->id, &e));
	p->answer = (struct acme_answer){&p->id, token, token};
	solver->present(solver, &p->answer, presented, fetched, p, &p->op);
	assert_false(p->called);
	PUMP_UNTIL(loop, p->called);
	assert_null(p->op);
}

static void
withdraw(struct presenter *p)
{
	struct acme_solver *solver = challenge_solver(challenge);

	solver->withdraw(solver, &p->answer, p);
}

/* ---- the CA ---- */

static ldns_pkt *
ask(const char *name)
{
	ldns_pkt *pkt =
	    ldns_pkt_query_new(ldns_dname_new_frm_str(name), LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_IN, 0);
	uint8_t *bytes, answer[4096];
	ssize_t n = -1;
	size_t len;

	assert_int_equal(ldns_pkt2wire(&bytes, pkt, &len), LDNS_STATUS_OK);
	assert_int_equal(send(udp, bytes, len, 0), len);
	free(bytes);
	ldns_pkt_free(pkt);
	PUMP_UNTIL(loop, (n = recv(udp, answer, sizeof(answer), 0)) >= 0);
	assert_int_equal(ldns_wire2pkt(&pkt, answer, (size_t)n), LDNS_STATUS_OK);
	return pkt;
}

static void
expect_values(const char *name, size_t count)
{
	ldns_pkt *pkt = ask(name);

	assert_int_equal(ldns_pkt_ancount(pkt), count);
	ldns_pkt_free(pkt);
	pump_quiet(loop);
}

/* ---- scenarios ---- */

static void
one(void **state)
{
	struct presenter p = {0};
	ldns_pkt *pkt;
	char *text;

	present(&p, "example.org", "a");
	assert_true(p.ok);
	pkt = ask("_acme-challenge.example.org");
	/* printf a | openssl dgst -sha256 -binary | basenc --base64url */
	text = ldns_rdf2str(ldns_rr_rdf(ldns_rr_list_rr(ldns_pkt_answer(pkt), 0), 0));
	assert_string_equal(text, "\"ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs\"");
	free(text);
	ldns_pkt_free(pkt);
	PUMP_UNTIL(loop, p.fetched == 1);
	withdraw(&p);
	expect_values("_acme-challenge.example.org", 0);
	assert_int_equal(p.fetched, 1);
	assert_int_equal(challenge->active, 0);
}

static void
below_the_zone(void **state)
{
	struct presenter p = {0};

	present(&p, "example.org", "a");
	expect_values("example.org.acme.example.net", 1);
	expect_values("_acme-challenge.example.org", 1);
	assert_int_equal(p.fetched, 2);
	withdraw(&p);
	expect_values("example.org.acme.example.net", 0);
	expect_values("_acme-challenge.example.org", 0);
}

/* Too long to stand below the zone; not too long to stand for itself. */
static void
too_long_for_the_zone(void **state)
{
	static const char name[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
				   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
				   "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
				   "ddddddddddddddddddddddddddddddddddddddddddddd.example.org";
	struct presenter p = {0};
	char owner[300];

	present(&p, name, "a");
	assert_true(p.ok);
	snprintf(owner, sizeof(owner), "_acme-challenge.%s", name);
	expect_values(owner, 1);
	withdraw(&p);
}

/* Apex and wildcard, and an order that shares one of them. */
static void
several(void **state)
{
	struct presenter a = {0}, b = {0}, again = {0};

	present(&a, "example.org", "a");
	present(&b, "example.org", "b");
	present(&again, "example.org", "a");
	expect_values("_acme-challenge.example.org", 2);
	assert_true(a.fetched == 1 && b.fetched == 1 && again.fetched == 1);
	withdraw(&a);
	expect_values("_acme-challenge.example.org", 2);
	assert_int_equal(a.fetched, 1);
	withdraw(&b);
	expect_values("_acme-challenge.example.org", 1);
	withdraw(&again);
	expect_values("_acme-challenge.example.org", 0);
	assert_int_equal(challenge->active, 0);
}

static void
cancelled(void **state)
{
	struct acme_solver *solver = challenge_solver(challenge);
	struct presenter p = {0};
	struct err e;

	assert_true(identifier_dns("example.org", 11, &p.id, &e));
	p.answer = (struct acme_answer){&p.id, "a", "a"};
	solver->present(solver, &p.answer, presented, fetched, &p, &p.op);
	op_cancel(&p.op);
	assert_int_equal(challenge->active, 0);
	expect_values("_acme-challenge.example.org", 0);
	assert_false(p.called);
}

static void
withdrawn_twice(void **state)
{
	struct presenter a = {0}, b = {0};

	present(&a, "example.org", "a");
	present(&b, "example.org", "a");
	withdraw(&a);
	withdraw(&a);
	assert_int_equal(challenge->active, 1);
	expect_values("_acme-challenge.example.org", 1);
	withdraw(&b);
}

static void
freed_while_presented(void **state)
{
	struct presenter p = {0};

	present(&p, "example.org", "a");
	/* stop frees it */
}

#define ANY_NAME(test) cmocka_unit_test_setup_teardown(test, start_any, stop)
#define ZONE(test)     cmocka_unit_test_setup_teardown(test, start_zone, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ANY_NAME(one),
	    ZONE(below_the_zone),
	    ZONE(too_long_for_the_zone),
	    ANY_NAME(several),
	    ANY_NAME(cancelled),
	    ANY_NAME(withdrawn_twice),
	    ANY_NAME(freed_while_presented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
