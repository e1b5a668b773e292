/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The responder's connections (RFC 7766): several queries on each, answered in
 * their order. How many there are, how many of one client, and how long one may
 * stay without a question is bounded; when all places are taken, the connection
 * whose last question is the longest ago makes room.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct listener;
struct loop;
struct responder_table;
struct responder_tcp;

struct responder_tcp_conf {       /* 0: the default */
	unsigned max_connections; /* 512 */
	unsigned max_per_client;  /* 256; an IPv6 client is a /64 */
	int64_t idle_ms;          /* 10 s */
};

/* table is borrowed. */
struct responder_tcp *responder_tcp_new(
    struct loop *loop, const struct responder_table *table, const struct responder_tcp_conf *conf);
/* The listener stays the caller's, who frees it first. */
bool responder_tcp_serve(struct responder_tcp *t, struct listener *l, struct err *e);
void responder_tcp_free(struct responder_tcp *t); /* closes all connections; NULL is fine */
