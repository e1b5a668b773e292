/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One UDP socket for one request: a source port of its own, chosen at random by
 * the kernel, connected, so that only the server's datagrams arrive. Only for
 * this room.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct dns_udp;
struct loop;

/* A datagram (valid during the call), or data NULL and e: the server's host says that nobody
 * listens. May free the socket. */
typedef void dns_udp_fn(void *arg, const uint8_t *data, size_t len, const struct err *e);

/* NULL: no such address family, no route, no descriptors left (ERR_UNREACHABLE). */
struct dns_udp *dns_udp_open(struct loop *loop, const struct sockaddr *sa, socklen_t len,
    dns_udp_fn *fn, void *arg, struct err *e);
/* A datagram that the kernel cannot take just now counts as lost on the way. */
bool dns_udp_send(struct dns_udp *u, const void *data, size_t len, struct err *e);
void dns_udp_free(struct dns_udp *u); /* NULL is fine; from its own callback too */
