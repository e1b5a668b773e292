/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An exchange over TCP: one connection, one answer. */
#include "base/clock.h"
#include "dns/client.h"
#include "dns/exchange_private.h"
#include "dns/message.h"
#include "dns/tcp.h"
#include "ev/timer.h"

static void
stream_arrived(void *arg, const uint8_t *data, size_t len, const struct err *e)
{
	struct exchange *x = arg;
	struct dns_message *answer = NULL;
	struct err why;

	x->sent |= dns_tcp_sent(x->tcp);
	if (data == NULL) {
		exchange_note(x, e);
		exchange_move(x, EXCHANGE_NEXT);
		return;
	}
	switch (dns_request_judge(x->request, data, len, clock_wall(), &answer, &why)) {
	case DNS_ANSWERED:
		exchange_answered(x, answer);
		break;
	case DNS_FAILED:
	case DNS_DENIED:
		exchange_failed(x, &why, false);
		break;
	case DNS_CUT:
		err_set(&why, ERR_UPSTREAM, "a truncated answer over TCP");
		exchange_failed(x, &why, true);
		break;
	case DNS_UNTRUSTED:
	case DNS_STRAY:
		exchange_failed(x, &why, true);
		break;
	}
}

enum exchange_state
exchange_enter_tcp(struct exchange *x)
{
	x->tcp = dns_tcp_start(dns_client_loop(x->client), exchange_address(x),
	    x->addresses.lens[x->next - 1], x->request->wire.data, x->request->wire.len,
	    stream_arrived, x);
	timer_start(x->timer, x->address_end - clock_mono_ms());
	return EXCHANGE_TCP;
}

void
exchange_tick_tcp(struct exchange *x)
{
	struct err e;

	x->sent |= dns_tcp_sent(x->tcp);
	err_set(&e, ERR_UNREACHABLE, "no answer in time");
	exchange_note(x, &e);
	exchange_move(x, EXCHANGE_NEXT);
}
