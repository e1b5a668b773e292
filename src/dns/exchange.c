/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/exchange.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "dns/client.h"
#include "dns/exchange_private.h"
#include "dns/message.h"
#include "dns/server.h"
#include "dns/tcp.h"
#include "dns/udp.h"
#include "ev/loop.h"
#include "ev/timer.h"

enum { MOVES_MAX = 4 * RESOLVE_MAX };

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

void
exchange_answered(struct exchange *x, struct dns_message *answer)
{
	x->result.answer = answer;
	exchange_move(x, EXCHANGE_DONE);
}

void
exchange_failed(struct exchange *x, const struct err *e, bool sent)
{
	x->result.error = *e;
	x->sent = sent;
	exchange_move(x, EXCHANGE_DONE);
}

/* The reason, unless a more telling one is known. */
void
exchange_note(struct exchange *x, const struct err *e)
{
	if (!x->remembered)
		x->result.error = *e;
}

struct sockaddr *
exchange_address(struct exchange *x)
{
	return (struct sockaddr *)&x->addresses.addrs[x->next - 1];
}

/* ---- lookup ---- */

static void
looked_up(void *arg, const struct resolved *answer, const struct err *e)
{
	struct exchange *x = arg;

	if (answer == NULL) {
		exchange_failed(x, e, false);
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
    [EXCHANGE_UDP] = {"udp", exchange_enter_udp, exchange_tick_udp},
    [EXCHANGE_TCP] = {"tcp", exchange_enter_tcp, exchange_tick_tcp},
    [EXCHANGE_NEXT] = {"next", enter_next, NULL},
    [EXCHANGE_DONE] = {"done", enter_done, NULL},
};
static_assert(sizeof(states) / sizeof(states[0]) == EXCHANGE_STATE_COUNT, "a row for each state");

void
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
