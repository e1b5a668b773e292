/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One exchange from the inside: its machine is in exchange.c, its two transports in files of their
 * own. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "dns/exchange.h"
#include "ev/op.h"
#include "ev/resolve.h"

struct dns_tcp;
struct dns_udp;
struct sockaddr;
struct timer;

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

/* The one door to another state. */
void exchange_move(struct exchange *x, enum exchange_state to);
/* The reason of a failure, unless a more telling one is known. */
void exchange_note(struct exchange *x, const struct err *e);
struct sockaddr *exchange_address(struct exchange *x);
/* The ends. sent: the server may have acted on the request. */
void exchange_answered(struct exchange *x, struct dns_message *answer);
void exchange_failed(struct exchange *x, const struct err *e, bool sent);

enum exchange_state exchange_enter_udp(struct exchange *x);
void exchange_tick_udp(struct exchange *x);
enum exchange_state exchange_enter_tcp(struct exchange *x);
void exchange_tick_tcp(struct exchange *x);
