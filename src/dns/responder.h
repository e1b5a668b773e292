/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The built-in authoritative name server for dns-01: TXT records of challenges
 * that are active now, over UDP and TCP.
 *
 *   responder.c             listeners, and the way in for records
 *   responder_udp.c         datagrams
 *   responder_tcp.c         connections: how many, and of whom
 *   responder_connection.c  one of them
 *   responder_answer.c      bytes of a query to bytes of an answer
 *   responder_question.c    is it a question, and a fair one
 *   responder_table.c       the zone, and what is known about a name
 *   responder_records.c     the names that have records
 *   responder_name.c        one of them, and its records
 *   responder_key.c         names that sort like the tree
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct ip_addr;
struct listen_address;
struct loop;
struct responder;
struct responder_record;
struct responder_records;

struct responder_conf {
	char *const *listeners; /* HOST:PORT, each for UDP and TCP */
	size_t listener_count;
	bool skip_no_family; /* with a warning, where the machine lacks the address family */
	const char *zone;    /* NULL: authoritative for any name; for tests */
	const char *ns;      /* NULL: the zone's own name */
	const struct ip_addr *record;      /* A or AAAA of every name in the zone, or NULL */
	struct responder_records *records; /* borrowed: those of other responders too; NULL: own */
	/* TCP connections in all and of one client, and when idle ones end; 0: the default. */
	unsigned max_connections;
	unsigned max_per_client;
	int64_t idle_ms;
	void (*warn)(void *arg, const char *text); /* or NULL */
	void *warn_arg;
};

/* Opens its listeners. conf is copied. ERR_CONFIG; ERR_INTERNAL if a port is taken. */
struct responder *responder_new(
    struct loop *loop, const struct responder_conf *conf, struct err *e);
/* Serves as soon as the loop runs. take: also where someone else serves on its address. */
bool responder_serve(struct responder *r, bool take, struct err *e);
void responder_free(struct responder *r); /* takes records of its own with it; NULL is fine */

/* fetched runs after the turn in which the value was sent, any number of times until the record is
 * removed; it may remove it. NULL: ERR_INTERNAL (no domain name), ERR_BUSY (too many values). */
struct responder_record *responder_add(struct responder *r, const char *owner, const char *value,
    void (*fetched)(void *arg), void *arg, struct err *e);
void responder_remove(struct responder *r, struct responder_record *record);

/* Where it listens, with the ports that were bound; NULL past the end. */
const struct listen_address *responder_address(const struct responder *r, size_t i);
