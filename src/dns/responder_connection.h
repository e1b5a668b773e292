/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection to the responder: queries in, answers out in their order
 * (RFC 7766), several of them under way. Private to responder_tcp.c, which
 * decides who may come in.
 *
 * It ends itself when the client does, when it sends nonsense, or when it has
 * asked nothing for idle_ms; the memory goes after the turn.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/queue.h"
#include "codec/ip.h"

struct io;
struct loop;
struct responder_table;
struct timer;

enum {
	RESPONDER_LENGTH = 2,       /* octets in front of each message (RFC 1035 4.2.2) */
	RESPONDER_QUERY_MAX = 4096, /* a question, OPT with padding, TSIG: never near to that */
};

/* All there are, the one whose last question is the longest ago first. */
struct responder_connections {
	struct loop *loop;
	const struct responder_table *table;
	int64_t idle_ms;
	TAILQ_HEAD(, responder_connection) list;
	unsigned count;
};

struct responder_connection {
	TAILQ_ENTRY(responder_connection) entry;
	struct responder_connections *all;
	struct ip_addr client;
	int fd;
	struct io *io;
	struct timer *idle;
	bool eof; /* the client sends no more, but may still be reading */
	uint8_t in[RESPONDER_LENGTH + RESPONDER_QUERY_MAX];
	size_t in_len;
	struct buf out;
	size_t sent;
};

/* Takes fd over. */
void responder_connection_open(
    struct responder_connections *all, int fd, const struct ip_addr *client);
void responder_connection_close(struct responder_connection *c);
