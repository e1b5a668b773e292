/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A name server inside the test, on UDP and TCP of one loopback address, on the
 * test's own loop. What it answers, and how badly, is the test's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dns/message.h"
#include "dns/server.h"

struct loop;
struct peer;
struct peer_client;

struct peer_query {
	struct peer *peer;
	const uint8_t *bytes;
	size_t len;
	bool tcp;
	const struct dns_message *message;
	char name[DNS_NAME_TEXT]; /* of the question or zone */
	unsigned type;
	struct peer_client *client; /* where to answer; valid during the call */
};

typedef void peer_fn(void *arg, const struct peer_query *q);

/* address: "127.0.0.1", "::1"; port 0: a free one. NULL: the machine lacks the address. */
struct peer *peer_new(
    struct loop *loop, const char *address, uint16_t port, peer_fn *fn, void *arg);
void peer_free(struct peer *p);
uint16_t peer_port(const struct peer *p);
/* Appends its address to a list. */
void peer_add_to(const struct peer *p, struct dns_servers *to, bool recursive);
/* Messages it got. */
unsigned peer_count(const struct peer *p);
unsigned peer_tcp_count(const struct peer *p);

/* Now, or ms milliseconds later; over TCP with the length before it. */
void peer_send(const struct peer_query *q, const void *bytes, size_t len);
void peer_send_later(const struct peer_query *q, const void *bytes, size_t len, int ms);
/* Octets as they are, over TCP without a length. */
void peer_send_raw(const struct peer_query *q, const void *bytes, size_t len);
/* Ends the TCP connection. */
void peer_hang_up(const struct peer_query *q);

struct peer_answer {
	unsigned rcode;
	bool not_authoritative;
	bool truncated;
	bool no_edns;
	bool no_question;
	const char *answer[8]; /* records in presentation form */
	const char *authority[4];
	const struct tsig_key *key; /* signs, if the request is signed */
	int64_t clock_offset;       /* of the signature */
	unsigned tsig_error;        /* BADSIG, BADKEY: unsigned; BADTIME: signed */
};
/* An answer to q in out. */
void peer_build(const struct peer_query *q, const struct peer_answer *a, struct buf *out);
void peer_answer(const struct peer_query *q, const struct peer_answer *a);
