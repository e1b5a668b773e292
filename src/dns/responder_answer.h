/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The responder without its sockets: bytes of a query in, bytes of the answer
 * out (RFC 1034 4.3.2 for one zone without wildcards and delegations, RFC 2308,
 * RFC 6891, RFC 8482). No state, no input but its arguments.
 *
 * It never recurses and never answers an answer. What it sends over UDP stays
 * within 512 bytes, or 1232 for those who say that they take more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct responder_name;
struct responder_table;

enum { RESPONDER_UDP_MAX = 1232, RESPONDER_UDP_PLAIN = 512 };

struct responder_reply {
	uint8_t *bytes; /* the caller frees it */
	size_t len;
	struct responder_name *served; /* whose TXT values are in it, or NULL */
};

/* False: no answer is due. */
bool responder_answer(const struct responder_table *t, const uint8_t *query, size_t len, bool tcp,
    struct responder_reply *ret);
