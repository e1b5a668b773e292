/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client against servers that drop, delay, repeat, cut, garble and forge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "dns/ask.h"
#include "dns/client.h"
#include "dns/update.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"
#include "peer.h"

enum { TIMEOUT = 1000, MAX_WAIT = 5000 };

static const char NAME[] = "www.example.org";
static const char TXT[] = "www.example.org. TXT yes";
static const char LIE[] = "www.example.org. TXT lie";

struct world {
	struct loop *loop;
	struct dns_client *client;
	struct peer *peer;
	struct dns_servers servers;
	struct tsig_key key;
	struct op *slot;
	struct timer *pulse; /* so that waiting always ends */
	bool done;
	bool success;
	char value[32];
	uint64_t touched;
	struct err error;
	int64_t took;
	int count; /* queries so far, for the scripts */
};

static void
pulse(void *arg)
{
	struct world *w = arg;

	timer_start(w->pulse, 20);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e;

	w->loop = loop_new(&e);
	w->pulse = timer_new(w->loop, pulse, w);
	pulse(w);
	w->client = dns_client_new(w->loop, &e);
	assert_non_null(w->client);
	assert_true(tsig_key_make("k.example", "hmac-sha256", "c2VjcmV0c2VjcmV0", &w->key, &e));
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	op_cancel(&w->slot);
	timer_free(w->pulse);
	peer_free(w->peer);
	dns_servers_done(&w->servers);
	dns_client_free(w->client);
	loop_free(w->loop);
	free(w);
	return 0;
}

static void
serve_at(struct world *w, const char *address, peer_fn *fn)
{
	w->peer = peer_new(w->loop, address, 0, fn, w);
	if (w->peer == NULL)
		skip();
	peer_add_to(w->peer, &w->servers, true);
}

static void
serve(struct world *w, peer_fn *fn)
{
	serve_at(w, "127.0.0.1", fn);
}

static void
answered(void *arg, size_t server, const struct dns_message *m, const struct err *e)
{
	struct world *w = arg;
	const ldns_rr *rr;

	assert_false(w->done);
	assert_null(w->slot);
	w->done = true;
	w->success = m != NULL;
	if (m == NULL) {
		w->error = *e;
		return;
	}
	rr = dns_message_find(m, LDNS_SECTION_ANSWER, LDNS_RR_TYPE_TXT, 0);
	if (rr != NULL)
		memcpy(w->value, ldns_rdf_data(ldns_rr_rdf(rr, 0)) + 1, 3);
}

static void
wait_done(struct world *w)
{
	int64_t start = clock_mono_ms();

	assert_false(w->done);
	while (!w->done && clock_mono_ms() < start + MAX_WAIT)
		loop_turn(w->loop, true);
	assert_true(w->done);
	w->took = clock_mono_ms() - start;
}

static void
start_question(struct world *w)
{
	dns_question_start(
	    &(struct dns_question){
		.client = w->client,
		.servers = &w->servers,
		.timeout_ms = TIMEOUT,
		.name = NAME,
		.type = LDNS_RR_TYPE_TXT,
		.done = answered,
		.arg = w,
	    },
	    &w->slot);
}

static void
ask(struct world *w)
{
	start_question(w);
	wait_done(w);
}

static void
expect_answer(struct world *w)
{
	if (!w->success)
		fail_msg("%s", w->error.detail);
	assert_string_equal(w->value, "yes");
}

static void
expect_error(struct world *w, enum err_kind kind, const char *text)
{
	assert_false(w->success);
	if (strstr(w->error.detail, text) == NULL || w->error.kind != kind)
		fail_msg("%s: %s", err_kind_name(w->error.kind), w->error.detail);
}

static void
yes(const struct peer_query *q)
{
	peer_answer(q, &(struct peer_answer){.answer = {TXT}});
}

/* ---- questions ---- */

static void
plain(void *arg, const struct peer_query *q)
{
	assert_false(q->tcp);
	assert_true(q->message->edns);
	yes(q);
}

static void
test_plain(void **state)
{
	serve(*state, plain);
	ask(*state);
	expect_answer(*state);
}

static void
test_ipv6(void **state)
{
	serve_at(*state, "::1", plain);
	ask(*state);
	expect_answer(*state);
}

/* A name with several addresses, of which one answers. */
static void
test_server_by_name(void **state)
{
	struct world *w = *state;
	struct host_port at = {.host = "localhost"};

	w->peer = peer_new(w->loop, "127.0.0.1", 0, plain, w);
	at.port = peer_port(w->peer);
	dns_servers_append_at(&w->servers, &at, true);
	ask(w);
	expect_answer(w);
	assert_true(w->took < 200);
}

static void
second_only(void *arg, const struct peer_query *q)
{
	struct world *w = arg;

	if (++w->count == 2)
		yes(q);
}

static void
test_lost_datagram_is_sent_again(void **state)
{
	struct world *w = *state;

	serve(w, second_only);
	ask(w);
	expect_answer(w);
	assert_int_equal(peer_tcp_count(w->peer), 0);
	assert_true(w->took < TIMEOUT / 2);
}

static void
late_and_twice(void *arg, const struct peer_query *q)
{
	struct world *w = arg;
	struct buf out;

	peer_build(q, &(struct peer_answer){.answer = {TXT}}, &out);
	peer_send_later(q, out.data, out.len, 200);
	peer_send_later(q, out.data, out.len, 200);
	peer_send_later(q, out.data, out.len, 300);
	w->count++;
	buf_done(&out);
}

static void
test_late_and_duplicate(void **state)
{
	struct world *w = *state;

	serve(w, late_and_twice);
	ask(w);
	expect_answer(w);
	assert_int_equal(w->count, 2);
	w->done = false;
	/* The stragglers find nobody. */
	for (int64_t end = clock_mono_ms() + 350; clock_mono_ms() < end;)
		loop_turn(w->loop, true);
	assert_false(w->done);
}

/* Everything that is not the answer, before the answer. */
static void
mismatched(void *arg, const struct peer_query *q)
{
	struct buf out;

	peer_build(q, &(struct peer_answer){.answer = {LIE}}, &out);
	out.data[0] = (char)(out.data[0] ^ 1); /* id */
	peer_send(q, out.data, out.len);
	out.data[0] = (char)(out.data[0] ^ 1);
	out.data[13] = 'x'; /* name */
	peer_send(q, out.data, out.len);
	out.data[13] = 'w';
	out.data[2] = (char)(out.data[2] & 0x7f); /* a query */
	peer_send(q, out.data, out.len);
	peer_send(q, out.data, 11);
	peer_send(q, out.data, out.len - 1);
	peer_send(q, "", 0);
	buf_done(&out);
	yes(q);
}

static void
test_mismatched_and_malformed(void **state)
{
	serve(*state, mismatched);
	ask(*state);
	expect_answer(*state);
}

static void
flood(void *arg, const struct peer_query *q)
{
	struct buf out;

	peer_build(q, &(struct peer_answer){.answer = {LIE}}, &out);
	for (int i = 0; i < 200; i++) {
		out.data[0]++;
		peer_send(q, out.data, out.len);
		out.data[0]--;
	}
	buf_done(&out);
	yes(q);
}

static void
test_flood_of_strays(void **state)
{
	serve(*state, flood);
	ask(*state);
	expect_answer(*state);
}

static void
truncates(void *arg, const struct peer_query *q)
{
	if (q->tcp)
		yes(q);
	else
		peer_answer(q, &(struct peer_answer){.truncated = true, .answer = {LIE}});
}

static void
test_truncation_leads_to_tcp(void **state)
{
	struct world *w = *state;

	serve(w, truncates);
	ask(w);
	expect_answer(w);
	assert_int_equal(peer_tcp_count(w->peer), 1);
	assert_true(w->took < 200);
}

static void
silent_on_udp(void *arg, const struct peer_query *q)
{
	if (q->tcp)
		yes(q);
}

static void
test_silence_leads_to_tcp(void **state)
{
	struct world *w = *state;

	serve(w, silent_on_udp);
	ask(w);
	expect_answer(w);
	assert_int_equal(peer_count(w->peer), 4);
}

static void
garbage_on_udp(void *arg, const struct peer_query *q)
{
	static const char garbage[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";

	if (q->tcp)
		yes(q);
	else
		peer_send(q, garbage, sizeof(garbage));
}

static void
test_garbage_leads_to_tcp(void **state)
{
	serve(*state, garbage_on_udp);
	ask(*state);
	expect_answer(*state);
}

static void
old_server(void *arg, const struct peer_query *q)
{
	if (q->message->edns)
		peer_answer(
		    q, &(struct peer_answer){.rcode = 1, .no_edns = true, .no_question = true});
	else
		yes(q);
}

static void
test_server_without_edns(void **state)
{
	serve(*state, old_server);
	ask(*state);
	expect_answer(*state);
}

static void
formerr(void *arg, const struct peer_query *q)
{
	peer_answer(q, &(struct peer_answer){.rcode = 1, .no_edns = true});
}

static void
test_formerr_without_edns_is_final(void **state)
{
	struct world *w = *state;

	serve(w, formerr);
	ask(w);
	expect_error(w, ERR_UPSTREAM, "FORMERR");
	assert_int_equal(peer_count(w->peer), 2);
}

static void
silent(void *arg, const struct peer_query *q)
{
}

static void
test_silence(void **state)
{
	struct world *w = *state;

	serve(w, silent);
	ask(w);
	expect_error(w, ERR_UNREACHABLE, "no answer in time");
	assert_true(w->took >= TIMEOUT - 50 && w->took < TIMEOUT + 500);
}

static void
test_refused_connection(void **state)
{
	struct world *w = *state;

	serve(w, silent);
	peer_free(w->peer);
	w->peer = NULL;
	ask(w);
	expect_error(w, ERR_UNREACHABLE, "refused");
	assert_true(w->took < 200);
}

static void
test_no_servers(void **state)
{
	ask(*state);
	expect_error(*state, ERR_CONFIG, "no name server");
}

/* ---- TCP ---- */

static void
tcp_hangs_up(void *arg, const struct peer_query *q)
{
	if (!q->tcp)
		truncates(arg, q);
	else
		peer_hang_up(q);
}

static void
tcp_too_long(void *arg, const struct peer_query *q)
{
	if (!q->tcp)
		truncates(arg, q);
	else
		peer_send_raw(q, "\xff\xff\x00", 3);
}

static void
tcp_half(void *arg, const struct peer_query *q)
{
	if (!q->tcp)
		truncates(arg, q);
	else
		peer_send_raw(q, "\x00\x20\x12\x34", 4);
}

static void
tcp_stray(void *arg, const struct peer_query *q)
{
	struct buf out;

	if (!q->tcp) {
		truncates(arg, q);
		return;
	}
	peer_build(q, &(struct peer_answer){.answer = {LIE}}, &out);
	out.data[0]++;
	peer_send(q, out.data, out.len);
	buf_done(&out);
}

static void
tcp_truncated(void *arg, const struct peer_query *q)
{
	peer_answer(q, &(struct peer_answer){.truncated = true});
}

static void
test_tcp_failures(void **state)
{
	static const struct {
		peer_fn *fn;
		enum err_kind kind;
		const char *text;
	} rows[] = {
	    {tcp_hangs_up, ERR_UNREACHABLE, "closed without an answer"},
	    {tcp_too_long, ERR_UPSTREAM, "more than"},
	    {tcp_half, ERR_UNREACHABLE, "no answer in time"},
	    {tcp_stray, ERR_UPSTREAM, "another question"},
	    {tcp_truncated, ERR_UPSTREAM, "truncated answer over TCP"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		serve(w, rows[i].fn);
		ask(w);
		expect_error(w, rows[i].kind, rows[i].text);
		peer_free(w->peer);
		w->peer = NULL;
		w->done = false;
		dns_servers_done(&w->servers);
	}
}

/* ---- several servers ---- */

static void
servfail(void *arg, const struct peer_query *q)
{
	peer_answer(q, &(struct peer_answer){.rcode = 2});
}

static void
test_next_server(void **state)
{
	struct world *w = *state;
	struct peer *bad = peer_new(w->loop, "127.0.0.1", 0, servfail, w);

	peer_add_to(bad, &w->servers, true);
	serve(w, plain);
	ask(w);
	expect_answer(w);
	assert_int_equal(peer_count(bad), 1);
	peer_free(bad);
}

static void
test_all_servers_are_named(void **state)
{
	struct world *w = *state;
	struct peer *bad = peer_new(w->loop, "127.0.0.1", 0, servfail, w);
	char text[64];

	peer_add_to(bad, &w->servers, true);
	serve(w, formerr);
	ask(w);
	snprintf(text, sizeof(text), "127.0.0.1#%u: SERVFAIL", peer_port(bad));
	expect_error(w, ERR_UPSTREAM, text);
	snprintf(text, sizeof(text), "127.0.0.1#%u: FORMERR", peer_port(w->peer));
	expect_error(w, ERR_UPSTREAM, text);
	peer_free(bad);
}

static void
lame(void *arg, const struct peer_query *q)
{
	peer_answer(q, &(struct peer_answer){.not_authoritative = true, .answer = {LIE}});
}

static void
test_authority_is_demanded(void **state)
{
	struct world *w = *state;

	w->peer = peer_new(w->loop, "127.0.0.1", 0, lame, w);
	peer_add_to(w->peer, &w->servers, false);
	ask(w);
	expect_error(w, ERR_CONFIG, "not authoritative");
}

/* ---- updates ---- */

static void
updated(void *arg, uint64_t touched, const struct err *e)
{
	struct world *w = arg;

	assert_false(w->done);
	w->done = true;
	w->success = e == NULL;
	w->touched = touched;
	if (e != NULL)
		w->error = *e;
}

static void
start_update(struct world *w, const struct tsig_key *key)
{
	dns_update_start(
	    &(struct dns_update){
		.client = w->client,
		.servers = &w->servers,
		.key = key,
		.timeout_ms = TIMEOUT,
		.zone = "example.org",
		.name = "_acme-challenge.example.org",
		.value = "value",
		.add = true,
		.ttl = 60,
		.done = updated,
		.arg = w,
	    },
	    &w->slot);
}

static void
update(struct world *w)
{
	start_update(w, &w->key);
	wait_done(w);
}

static void
signs(void *arg, const struct peer_query *q)
{
	struct world *w = arg;

	assert_int_equal(q->message->opcode, LDNS_PACKET_UPDATE);
	peer_answer(q, &(struct peer_answer){.key = &w->key});
}

static void
test_signed_update(void **state)
{
	struct world *w = *state;

	serve(w, signs);
	update(w);
	assert_true(w->success);
	assert_int_equal(w->touched, 1);
	assert_int_equal(peer_tcp_count(w->peer), 0);
}

static void
test_unsigned_update_uses_tcp(void **state)
{
	struct world *w = *state;

	serve(w, signs);
	start_update(w, NULL);
	wait_done(w);
	assert_true(w->success);
	assert_int_equal(peer_count(w->peer), 1);
	assert_int_equal(peer_tcp_count(w->peer), 1);
}

/* First a forged refusal, a forged success, one with a wrong MAC; then the true one. */
static void
forged_then_signed(void *arg, const struct peer_query *q)
{
	struct world *w = arg;
	struct buf out;

	peer_answer(q, &(struct peer_answer){.rcode = 5});
	peer_answer(q, &(struct peer_answer){0});
	peer_build(q, &(struct peer_answer){.key = &w->key}, &out);
	out.data[out.len - 10]++;
	peer_send(q, out.data, out.len);
	out.data[out.len - 10]--;
	peer_send_later(q, out.data, out.len, 100);
	buf_done(&out);
}

static void
test_forged_answers_are_waited_out(void **state)
{
	struct world *w = *state;

	serve(w, forged_then_signed);
	update(w);
	assert_true(w->success);
	assert_int_equal(peer_count(w->peer), 1);
}

static void
refuses_unsigned(void *arg, const struct peer_query *q)
{
	peer_answer(q, &(struct peer_answer){.rcode = 5});
}

static void
test_unsigned_refusal(void **state)
{
	struct world *w = *state;

	serve(w, refuses_unsigned);
	update(w);
	expect_error(w, ERR_CONFIG, "REFUSED, but the answer is not signed");
	/* Over UDP it was waited on, over TCP it was reported at once. */
	assert_int_equal(peer_tcp_count(w->peer), 1);
	assert_true(w->took >= 250 && w->took < TIMEOUT / 2 + 100);
	assert_int_equal(w->touched, 0);
}

static void
succeeds_unsigned(void *arg, const struct peer_query *q)
{
	peer_answer(q, &(struct peer_answer){0});
}

static void
test_unsigned_success_is_not_believed(void **state)
{
	struct world *w = *state;

	serve(w, succeeds_unsigned);
	update(w);
	expect_error(w, ERR_UPSTREAM, "not signed");
	/* But it may be true: the record has to be taken away. */
	assert_int_equal(w->touched, 1);
}

static void
badkey(void *arg, const struct peer_query *q)
{
	struct world *w = arg;

	peer_answer(
	    q, &(struct peer_answer){.rcode = 9, .key = &w->key, .tsig_error = TSIG_BADKEY});
}

static void
badsig(void *arg, const struct peer_query *q)
{
	struct world *w = arg;

	peer_answer(
	    q, &(struct peer_answer){.rcode = 9, .key = &w->key, .tsig_error = TSIG_BADSIG});
}

static void
badtime(void *arg, const struct peer_query *q)
{
	struct world *w = arg;

	peer_answer(q,
	    &(struct peer_answer){
		.rcode = 9, .key = &w->key, .tsig_error = TSIG_BADTIME, .clock_offset = 1000});
}

static void
test_badkey(void **state)
{
	serve(*state, badkey);
	update(*state);
	expect_error(*state, ERR_CONFIG, "NOTAUTH, TSIG error BADKEY");
	assert_int_equal(((struct world *)*state)->touched, 0);
}

static void
test_badsig(void **state)
{
	serve(*state, badsig);
	update(*state);
	expect_error(*state, ERR_CONFIG, "NOTAUTH, TSIG error BADSIG");
}

static void
test_badtime_is_final(void **state)
{
	struct world *w = *state;

	serve(w, badtime);
	update(w);
	expect_error(w, ERR_CONFIG, "+1000 s from ours");
	assert_int_equal(peer_count(w->peer), 1);
	assert_true(w->took < 200);
	assert_int_equal(w->touched, 0);
}

static void
clock_is_wrong(void *arg, const struct peer_query *q)
{
	struct world *w = arg;

	peer_answer(q, &(struct peer_answer){.key = &w->key, .clock_offset = -400});
}

static void
test_answer_signed_at_another_time(void **state)
{
	serve(*state, clock_is_wrong);
	update(*state);
	expect_error(*state, ERR_UPSTREAM, "too far from our clock");
	assert_int_equal(((struct world *)*state)->touched, 1);
}

static void
acts_but_keeps_silent(void *arg, const struct peer_query *q)
{
}

static void
test_silence_leaves_it_open(void **state)
{
	struct world *w = *state;

	serve(w, acts_but_keeps_silent);
	update(w);
	expect_error(w, ERR_UNREACHABLE, "no answer in time");
	assert_int_equal(w->touched, 1);
}

static void
test_nobody_there_leaves_nothing(void **state)
{
	struct world *w = *state;

	serve(w, silent);
	peer_free(w->peer);
	w->peer = NULL;
	update(w);
	expect_error(w, ERR_UNREACHABLE, "refused");
	assert_int_equal(w->touched, 0);
}

static void
answers_rcode(void *arg, const struct peer_query *q)
{
	struct world *w = arg;

	peer_answer(q, &(struct peer_answer){.rcode = (unsigned)w->count, .key = &w->key});
}

static void
test_refusals(void **state)
{
	static const struct {
		int rcode;
		bool with_key;
		enum err_kind kind;
		const char *text;
	} rows[] = {
	    {1, true, ERR_UPSTREAM, "FORMERR"},
	    {2, true, ERR_UPSTREAM, "SERVFAIL"},
	    {4, true, ERR_CONFIG, "NOTIMP: dynamic updates are not switched on"},
	    {5, true, ERR_CONFIG, "REFUSED: the server's policy"},
	    {5, false, ERR_CONFIG, "REFUSED: the server wants a key"},
	    {9, true, ERR_CONFIG, "NOTAUTH: the server is not primary for this zone"},
	    {9, false, ERR_CONFIG, "wants a key"},
	    {10, true, ERR_CONFIG, "NOTZONE: the name is not in this zone"},
	    {8, true, ERR_UPSTREAM, "NXRRSET"},
	};
	struct world *w = *state;

	serve(w, answers_rcode);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		w->count = rows[i].rcode;
		w->done = false;
		start_update(w, rows[i].with_key ? &w->key : NULL);
		wait_done(w);
		expect_error(w, rows[i].kind, rows[i].text);
		expect_error(
		    w, rows[i].kind, "_acme-challenge.example.org TXT in zone example.org");
		assert_int_equal(w->touched, 0);
	}
}

/* ---- cancelling ---- */

static void
test_cancel_at_every_moment(void **state)
{
	static peer_fn *const scripts[] = {
	    plain, second_only, truncates, silent, tcp_half, tcp_hangs_up, mismatched};
	struct world *w = *state;

	for (size_t s = 0; s < sizeof(scripts) / sizeof(scripts[0]); s++) {
		serve(w, scripts[s]);
		for (int turns = 0; turns < 12; turns++) {
			w->count = 0;
			w->done = false;
			start_question(w);
			for (int i = 0; i < turns && !w->done; i++)
				loop_turn(w->loop, i % 2 == 0);
			op_cancel(&w->slot);
			bool done = w->done;
			for (int i = 0; i < 4; i++)
				loop_turn(w->loop, false);
			assert_int_equal(w->done, done);
		}
		peer_free(w->peer);
		w->peer = NULL;
		dns_servers_done(&w->servers);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_plain),
	    TEST(test_ipv6),
	    TEST(test_server_by_name),
	    TEST(test_lost_datagram_is_sent_again),
	    TEST(test_late_and_duplicate),
	    TEST(test_mismatched_and_malformed),
	    TEST(test_flood_of_strays),
	    TEST(test_truncation_leads_to_tcp),
	    TEST(test_silence_leads_to_tcp),
	    TEST(test_garbage_leads_to_tcp),
	    TEST(test_server_without_edns),
	    TEST(test_formerr_without_edns_is_final),
	    TEST(test_silence),
	    TEST(test_refused_connection),
	    TEST(test_no_servers),
	    TEST(test_tcp_failures),
	    TEST(test_next_server),
	    TEST(test_all_servers_are_named),
	    TEST(test_authority_is_demanded),
	    TEST(test_signed_update),
	    TEST(test_unsigned_update_uses_tcp),
	    TEST(test_forged_answers_are_waited_out),
	    TEST(test_unsigned_refusal),
	    TEST(test_unsigned_success_is_not_believed),
	    TEST(test_badkey),
	    TEST(test_badsig),
	    TEST(test_badtime_is_final),
	    TEST(test_answer_signed_at_another_time),
	    TEST(test_silence_leaves_it_open),
	    TEST(test_nobody_there_leaves_nothing),
	    TEST(test_refusals),
	    TEST(test_cancel_at_every_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
