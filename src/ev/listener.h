/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listening sockets: what an operator writes becomes addresses, addresses
 * become bound, close-on-exec, V6ONLY, TCP_NODELAY sockets with a backlog of
 * 1024.
 *
 * A listener owns its socket for as long as it lives. Who serves on it gets a
 * libevent object (an evconnlistener) on loan, whose life ends before the
 * socket's: a server comes and goes, the socket and the clients queued on it
 * stay. A listener that runs into EMFILE, ENFILE, ENOBUFS or ENOMEM pauses for
 * a second.
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

/* An address as the kernel gives it, with its text. */
void listen_address_set(struct listen_address *a, const struct sockaddr_storage *sa, socklen_t len);

/* Binds and listens; nothing is accepted until someone serves on it. A stale unix socket nobody
 * listens on is removed first. ERR_CONFIG (ERR_INTERNAL if it is taken) naming the address and the
 * reason; *ret_no_family (may be NULL) tells that the machine lacks the address family. */
struct listener *listener_open(
    struct loop *loop, const struct listen_address *addr, bool *ret_no_family, struct err *e);
/* Takes the loan back first. Closes; removes its unix socket. NULL is fine. */
void listener_free(struct listener *l);
/* With the port that was bound. */
const struct listen_address *listener_address(const struct listener *l);

/* The libevent object on loan, for http/server.c, which must free it before the socket closes: in
 * recall, which the listener calls when it is freed or lent to another, or on its own account,
 * which it tells with listener_return. NULL if libevent failed. */
struct evconnlistener *listener_lend(struct listener *l, void (*recall)(void *arg), void *arg);
void listener_return(struct listener *l);

/* Whether descriptors run short: what is free is only the reserve that requests in progress, calls
 * to the CA and files need. */
bool listener_short_of_descriptors(const struct listener *l);
/* Stops accepting for ms milliseconds, and further while descriptors are short. */
void listener_pause(struct listener *l, int ms);
