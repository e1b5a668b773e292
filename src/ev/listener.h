/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listening sockets: what an operator writes becomes addresses, addresses
 * become bound, close-on-exec, V6ONLY, TCP_NODELAY sockets with a backlog of
 * 1024. A listener that runs into EMFILE/ENFILE/ENOBUFS pauses for a second.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/err.h"

struct evconnlistener;
struct listener;
struct loop;

enum { LISTEN_TEXT = 140 };

struct listen_address {
	struct sockaddr_storage sa;
	socklen_t len;
	char text[LISTEN_TEXT]; /* "127.0.0.1:1313", "[::1]:1313", "unix:/run/acmems.sock" */
};

/* HOST:PORT (brackets optional, a name means all its addresses), [fe80::1%eth0]:PORT, unix:/path.
 * Looks names up with getaddrinfo and so blocks: for start and reload only. ERR_CONFIG. The caller
 * frees *ret. */
bool listen_addresses(
    const char *spec, struct listen_address **ret, size_t *ret_count, struct err *e);

/* Binds and listens; nothing is accepted until someone takes it (listener_take). A stale unix
 * socket nobody listens on is removed first. ERR_CONFIG naming the address and the reason;
 * *ret_no_family (may be NULL) tells that the machine lacks the address family. */
struct listener *listener_open(
    struct loop *loop, const struct listen_address *addr, bool *ret_no_family, struct err *e);
void listener_free(struct listener *l); /* closes; removes its unix socket. NULL is fine */
const struct listen_address *listener_address(
    const struct listener *l); /* with the port that was bound */
/* The libevent object, for http/server.c; stays owned by the listener. */
struct evconnlistener *listener_evconn(struct listener *l);
/* Stops accepting for ms milliseconds (descriptors run short). */
void listener_pause(struct listener *l, int ms);
