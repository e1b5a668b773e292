/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request to one server, until it is answered: its addresses in turn, over
 * UDP with retransmission, over TCP after truncation or silence. Datagrams that
 * do not answer us are passed over; an answer whose signature fails is
 * remembered over UDP and reported over TCP (RFC 8945 5.3.2). Only for this
 * room.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct dns_client;
struct dns_message;
struct dns_request;
struct dns_server;
struct op;

struct dns_exchange_result {
	struct dns_message *answer; /* the callee's; NULL: see error */
	struct err error;           /* without the server's name */
	/* The server may have acted on the request, although we do not know: bytes went out and no
	 * refusal came back. */
	bool maybe_done;
};

typedef void dns_exchange_fn(void *arg, struct dns_exchange_result *result);

/* Takes the request. tcp: do not try UDP. timeout_ms bounds it all; half of each address's share is
 * for UDP. */
void dns_exchange_start(struct dns_client *client, const struct dns_server *server,
    struct dns_request *request, bool tcp, int64_t timeout_ms, dns_exchange_fn *done, void *arg,
    struct op **slot);
