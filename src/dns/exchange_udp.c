/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An exchange over UDP: sent, sent again, and every datagram judged. */
#include "base/clock.h"
#include "base/log.h"
#include "dns/client.h"
#include "dns/exchange_private.h"
#include "dns/message.h"
#include "dns/server.h"
#include "dns/udp.h"
#include "ev/timer.h"

/* When datagrams go out, in percent of the time for UDP. */
static const int send_at[] = {0, 25, 60, 100};
enum { SENDS = sizeof(send_at) / sizeof(send_at[0]) - 1, REMEMBERED_WAIT_MS = 300 };

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
	exchange_note(x, e);
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
		exchange_answered(x, answer);
		break;
	case DNS_FAILED:
		exchange_failed(x, &why, false);
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

enum exchange_state
exchange_enter_udp(struct exchange *x)
{
	struct err e;

	x->sends = 0;
	x->udp_start = clock_mono_ms();
	x->udp_end = x->udp_start + (x->address_end - x->udp_start) / 2;
	x->udp = dns_udp_open(dns_client_loop(x->client), exchange_address(x),
	    x->addresses.lens[x->next - 1], datagram_arrived, x, &e);
	if (x->udp == NULL)
		datagram_refused(x, &e);
	return x->udp != NULL && send_datagram(x) ? EXCHANGE_UDP : EXCHANGE_TCP;
}

void
exchange_tick_udp(struct exchange *x)
{
	bool again = x->sends < SENDS && !x->remembered;

	if (!again || !send_datagram(x))
		exchange_move(x, EXCHANGE_TCP);
}
