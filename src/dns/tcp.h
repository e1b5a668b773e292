/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One TCP connection for one request and its answer (RFC 7766; a message behind
 * its length in two octets, RFC 1035 4.2.2). The deadline is the caller's. Only
 * for this room.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct dns_tcp;
struct loop;

/* The answer (valid during the call), or data NULL and e. Once, and never before dns_tcp_start
 * returned. May free the connection. */
typedef void dns_tcp_fn(void *arg, const uint8_t *data, size_t len, const struct err *e);

/* Copies the message of at most 65535 octets. */
struct dns_tcp *dns_tcp_start(struct loop *loop, const struct sockaddr *sa, socklen_t sa_len,
    const void *data, size_t len, dns_tcp_fn *fn, void *arg);
/* The connection is there and bytes of the message went out: the server may act on it. */
bool dns_tcp_sent(const struct dns_tcp *t);
void dns_tcp_free(struct dns_tcp *t); /* NULL is fine; from its own callback too */
