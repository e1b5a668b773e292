/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One thing asked of several servers, in order, until one gives an answer that
 * is accepted. Each server has the whole timeout to itself. Only for this room.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/server.h"

struct dns_client;
struct dns_message;
struct dns_request;
struct op;

struct dns_ask {
	struct dns_client *client;
	const struct dns_servers *servers; /* borrowed until the end; may be empty */
	size_t first;                      /* where to begin; the others follow in a circle */
	int64_t timeout_ms;                /* for each server */
	bool tcp;

	/* A new request for servers->items[server] (a fresh id, a fresh signature). plain: without
	 * EDNS, which that server does not understand. NULL with e: it cannot be asked. */
	struct dns_request *(*build)(void *arg, size_t server, bool plain, struct err *e);
	/* False with e (without the server's name): the next server. */
	bool (*accept)(void *arg, size_t server, const struct dns_message *answer, struct err *e);
	/* A server that was asked and did not give an accepted answer; maybe_done as in
	 * dns/exchange.h. May be NULL. */
	void (*failed)(void *arg, size_t server, bool maybe_done);
	/* answer is valid during the call; NULL: e tells of each server what it said. */
	void (*done)(
	    void *arg, size_t server, const struct dns_message *answer, const struct err *e);
	void *arg;
};

/* Copies ask. */
void dns_ask_start(const struct dns_ask *ask, struct op **slot);

/* An ordinary question; accept, failed, done and arg as above. Answers with another rcode than
 * NOERROR and NXDOMAIN, and those of an authoritative server without AA, do not get to accept
 * (which may be NULL). */
struct dns_question {
	struct dns_client *client;
	const struct dns_servers *servers;
	size_t first;
	int64_t timeout_ms;
	const char *name; /* copied */
	unsigned type;    /* ldns_rr_type */
	bool (*accept)(void *arg, size_t server, const struct dns_message *answer, struct err *e);
	void (*done)(
	    void *arg, size_t server, const struct dns_message *answer, const struct err *e);
	void *arg;
};
void dns_question_start(const struct dns_question *question, struct op **slot);
