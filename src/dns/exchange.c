/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/exchange.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "dns/client.h"
#include "dns/message.h"
#include "dns/server.h"
#include "dns/tcp.h"
#include "dns/udp.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/resolve.h"
#include "ev/timer.h"

enum exchange_state {
	EXCHANGE_LOOKUP, /* the server's name; an address takes no time */
	EXCHANGE_UDP,
	EXCHANGE_TCP,
	EXCHANGE_NEXT, /* the next address, or the end */
	EXCHANGE_DONE,
	EXCHANGE_STATE_COUNT
};

struct exchange {
	struct op op;
	enum exchange_state state;
	unsigned moves;
	struct dns_client *client;
	const struct dns_server *server;
	struct dns_request *request;
	bool tcp_only;
	int64_t deadline;
	struct resolved addresses;
	size_t next;         /* address to be asked */
	int64_t address_end; /* its share of the time is over */
	int64_t udp_start, udp_end;
	unsigned sends;
	bool sent;       /* this address may act on the request */
	bool remembered; /* result.error is an untrusted answer, which outranks silence */
	struct op *lookup;
	struct dns_udp *udp;
	struct dns_tcp *tcp;
	struct timer *timer;
	struct dns_exchange_result result;
	dns_exchange_fn *done;
	void *arg;
};

/* When datagrams go out, in percent of the time for UDP. */
static const int send_at[] = {0, 25, 60, 100};
enum {
	SENDS = sizeof(send_at) / sizeof(send_at[0]) - 1,
	REMEMBERED_WAIT_MS = 300,
	MOVES_MAX = 4 * RESOLVE_MAX
};

static void exchange_move(struct exchange *x, enum exchange_state to);

/* ---- end ---- */

static void
drop_sockets(struct exchange *x)
{
	op_cancel(&x->lookup);
	dns_udp_free(x->udp);
	x->udp = NULL;
	dns_tcp_free(x->tcp);
	x->tcp = NULL;
	timer_stop(x->timer);
}

static void
exchange_free(struct exchange *x)
{
	drop_sockets(x);
	timer_free(x->timer);
	dns_request_free(x->request);
	loop_dispose(dns_client_loop(x->client), free, x);
}

static void
exchange_cancel(struct op *op)
{
	exchange_free((struct exchange *)op);
}

static void
finish(struct exchange *x)
{
	x->result.maybe_done |= x->sent;
	op_end(&x->op);
	x->done(x->arg, &x->result);
	exchange_free(x);
}

static void
finish_answered(struct exchange *x, struct dns_message *answer)
{
	x->result.answer = answer;
	exchange_move(x, EXCHANGE_DONE);
}

static void
finish_failed(struct exchange *x, const struct err *e, bool sent)
{
	x->result.error = *e;
	x->sent = sent;
	exchange_move(x, EXCHANGE_DONE);
}

/* The reason, unless a more telling one is known. */
static void
note(struct exchange *x, const struct err *e)
{
	if (!x->remembered)
		x->result.error = *e;
}

static struct sockaddr *
address(struct exchange *x)
{
	return (struct sockaddr *)&x->addresses.addrs[x->next - 1];
}

/* ---- lookup ---- */

static void
looked_up(void *arg, const struct resolved *answer, const struct err *e)
{
	struct exchange *x = arg;

	if (answer == NULL) {
		finish_failed(x, e, false);
		return;
	}
	x->addresses = *answer;
	exchange_move(x, EXCHANGE_NEXT);
}

static enum exchange_state
enter_lookup(struct exchange *x)
{
	resolve_start(dns_client_resolver(x->client), x->server->at.host, x->server->at.port,
	    x->deadline - clock_mono_ms(), looked_up, x, &x->lookup);
	return EXCHANGE_LOOKUP;
}

/* ---- udp ---- */

static void
remember(struct exchange *x, const struct err *e)
{
	int64_t soon = clock_mono_ms() + REMEMBERED_WAIT_MS;

	x->result.error = *e;
	x->remembered = true;
	if (x->udp_end > soon)
		x->udp_end = soon;
	timer_start(x->timer, x->udp_end - clock_mono_ms());
}

static void
datagram_refused(struct exchange *x, const struct err *e)
{
	/* Nobody was there for the first one; of several, an earlier one may have arrived. */
	if (x->sends <= 1)
		x->sent = false;
	note(x, e);
}

static void
datagram_arrived(void *arg, const uint8_t *data, size_t len, const struct err *e)
{
	struct exchange *x = arg;
	struct dns_message *answer = NULL;
	struct err why;

	if (data == NULL) {
		datagram_refused(x, e);
		exchange_move(x, EXCHANGE_TCP);
		return;
	}
	switch (dns_request_judge(x->request, data, len, clock_wall(), &answer, &why)) {
	case DNS_ANSWERED:
		finish_answered(x, answer);
		break;
	case DNS_FAILED:
		finish_failed(x, &why, false);
		break;
	case DNS_CUT:
		exchange_move(x, EXCHANGE_TCP);
		break;
	case DNS_UNTRUSTED:
	case DNS_DENIED:
		/* Anybody may have sent it: the true answer may still come, and TCP will tell. */
		remember(x, &why);
		break;
	case DNS_STRAY:
		log_debug(NULL, "dns: %s: passed over: %s", x->server->text, why.detail);
		break;
	}
}

static bool
send_datagram(struct exchange *x)
{
	int64_t span = x->udp_end - x->udp_start;
	struct err e;

	if (!dns_udp_send(x->udp, x->request->wire.data, x->request->wire.len, &e)) {
		datagram_refused(x, &e);
		return false;
	}
	x->sent = true;
	x->sends++;
	timer_start(x->timer, x->udp_start + span * send_at[x->sends] / 100 - clock_mono_ms());
	return true;
}

static enum exchange_state
enter_udp(struct exchange *x)
{
	struct err e;

	x->sends = 0;
	x->udp_start = clock_mono_ms();
	x->udp_end = x->udp_start + (x->address_end - x->udp_start) / 2;
	x->udp = dns_udp_open(dns_client_loop(x->client), address(x),
	    x->addresses.lens[x->next - 1], datagram_arrived, x, &e);
	if (x->udp == NULL)
		datagram_refused(x, &e);
	return x->udp != NULL && send_datagram(x) ? EXCHANGE_UDP : EXCHANGE_TCP;
}

static void
tick_udp(struct exchange *x)
{
	bool again = x->sends < SENDS && !x->remembered;

	if (!again || !send_datagram(x))
		exchange_move(x, EXCHANGE_TCP);
}

/* ---- tcp ---- */

static void
stream_arrived(void *arg, const uint8_t *data, size_t len, const struct err *e)
{
	struct exchange *x = arg;
	struct dns_message *answer = NULL;
	struct err why;

	x->sent |= dns_tcp_sent(x->tcp);
	if (data == NULL) {
		note(x, e);
		exchange_move(x, EXCHANGE_NEXT);
		return;
	}
	switch (dns_request_judge(x->request, data, len, clock_wall(), &answer, &why)) {
	case DNS_ANSWERED:
		finish_answered(x, answer);
		break;
	case DNS_FAILED:
	case DNS_DENIED:
		finish_failed(x, &why, false);
		break;
	case DNS_CUT:
		err_set(&why, ERR_UPSTREAM, "a truncated answer over TCP");
		finish_failed(x, &why, true);
		break;
	case DNS_UNTRUSTED:
	case DNS_STRAY:
		finish_failed(x, &why, true);
		break;
	}
}

static enum exchange_state
enter_tcp(struct exchange *x)
{
	x->tcp =
	    dns_tcp_start(dns_client_loop(x->client), address(x), x->addresses.lens[x->next - 1],
		x->request->wire.data, x->request->wire.len, stream_arrived, x);
	timer_start(x->timer, x->address_end - clock_mono_ms());
	return EXCHANGE_TCP;
}

static void
tick_tcp(struct exchange *x)
{
	struct err e;

	x->sent |= dns_tcp_sent(x->tcp);
	err_set(&e, ERR_UNREACHABLE, "no answer in time");
	note(x, &e);
	exchange_move(x, EXCHANGE_NEXT);
}

/* ---- the addresses ---- */

static enum exchange_state
enter_next(struct exchange *x)
{
	int64_t now = clock_mono_ms();
	int64_t left = x->deadline - now;

	x->result.maybe_done |= x->sent;
	x->sent = false;
	if (x->next == x->addresses.count || left <= 0)
		return EXCHANGE_DONE;
	x->address_end = now + left / (int64_t)(x->addresses.count - x->next);
	x->next++;
	return x->tcp_only ? EXCHANGE_TCP : EXCHANGE_UDP;
}

static enum exchange_state
enter_done(struct exchange *x)
{
	finish(x);
	return EXCHANGE_DONE;
}

static const struct {
	const char *name;
	enum exchange_state (*enter)(struct exchange *x);
	void (*tick)(struct exchange *x); /* the state's time is over */
} states[] = {
    [EXCHANGE_LOOKUP] = {"lookup", enter_lookup, NULL},
    [EXCHANGE_UDP] = {"udp", enter_udp, tick_udp},
    [EXCHANGE_TCP] = {"tcp", enter_tcp, tick_tcp},
    [EXCHANGE_NEXT] = {"next", enter_next, NULL},
    [EXCHANGE_DONE] = {"done", enter_done, NULL},
};
static_assert(sizeof(states) / sizeof(states[0]) == EXCHANGE_STATE_COUNT, "a row for each state");

static void
exchange_move(struct exchange *x, enum exchange_state to)
{
	do {
		log_debug(NULL, "dns: %s: %s -> %s", x->server->text, states[x->state].name,
		    states[to].name);
		assert(++x->moves <= MOVES_MAX);
		drop_sockets(x);
		x->state = to;
		to = states[to].enter(x);
	} while (to != x->state);
}

static void
tick(void *arg)
{
	struct exchange *x = arg;

	states[x->state].tick(x);
}

void
dns_exchange_start(struct dns_client *client, const struct dns_server *server,
    struct dns_request *request, bool tcp, int64_t timeout_ms, dns_exchange_fn *done, void *arg,
    struct op **slot)
{
	struct exchange *x = xcalloc(1, sizeof(*x));

	x->client = client;
	x->server = server;
	x->request = request;
	x->tcp_only = tcp;
	x->deadline = clock_mono_ms() + timeout_ms;
	x->done = done;
	x->arg = arg;
	x->timer = timer_new(dns_client_loop(client), tick, x);
	op_begin(&x->op, slot, exchange_cancel);
	enter_lookup(x);
}
