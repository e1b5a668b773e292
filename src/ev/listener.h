/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listening sockets: what an operator writes becomes addresses, addresses
 * become bound, close-on-exec, V6ONLY, TCP_NODELAY sockets with a backlog of
 * 1024.
 *
 * A listener owns its socket for as long as it lives, and there is one for each
 * address: who opens an address that is open already becomes a further holder. So
 * a configuration that takes over from another keeps the sockets both have.
 *
 * Who serves on it gets a libevent object (an evconnlistener) on loan, whose life
 * ends before the socket's: a server comes and goes, the socket and the clients
 * queued on it stay. A listener that runs into EMFILE, ENFILE, ENOBUFS or ENOMEM
 * pauses for a second.
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

/* An address as the kernel gives it, with its text ("" for what we do not serve on). */
void listen_address_set(struct listen_address *a, const struct sockaddr_storage *sa, socklen_t len);

/* Binds and listens; nothing is accepted until someone serves on it. A stale unix socket nobody
 * listens on is removed first. An address that covers one of ours, or the reverse, can be opened
 * beside it: the narrower one gets the connections. ERR_CONFIG (ERR_INTERNAL if it is taken) naming
 * the address and the reason; *ret_no_family (may be NULL) tells that the machine lacks the address
 * family. */
struct listener *listener_open(
    struct loop *loop, const struct listen_address *addr, bool *ret_no_family, struct err *e);
/* The same for datagrams. */
struct listener *listener_open_udp(
    struct loop *loop, const struct listen_address *addr, bool *ret_no_family, struct err *e);
/* One holder less; with the last one takes the loan back, closes, and removes its unix socket. NULL
 * is fine. */
void listener_free(struct listener *l);
/* With the port that was bound. */
const struct listen_address *listener_address(const struct listener *l);

/* The libevent object on loan, for http/server.c, which must free it before the socket closes: in
 * recall, which the listener calls when it is freed or lent to another, or on its own account,
 * which it tells with listener_return. NULL if libevent failed. */
struct evconnlistener *listener_lend(struct listener *l, void (*recall)(void *arg), void *arg);
void listener_return(struct listener *l);
/* The same for datagrams: the socket itself, non-blocking. */
int listener_lend_udp(struct listener *l, void (*recall)(void *arg), void *arg);
/* Whether someone serves on it. */
bool listener_lent(const struct listener *l);

/* A socket that was bound before we were started (by systemd) waits for whoever opens its address,
 * and after its last holder for the next one; its unix socket is not ours to remove. Takes fd over.
 * False: it is not one we could serve on. */
bool listener_inherit(struct loop *loop, int fd, struct err *e);
/* Calls fn for those that nobody has opened. */
void listener_unused(struct loop *loop, void (*fn)(void *arg, const char *text), void *arg);
/* Closes those that were inherited; on the way down, when nobody holds one any more. */
void listener_close_inherited(struct loop *loop);

/* Whether descriptors run short: what is free is only the reserve that requests in progress, calls
 * to the CA and files need. */
bool listener_short_of_descriptors(const struct listener *l);
/* Stops accepting for ms milliseconds, and further while descriptors are short. */
void listener_pause(struct listener *l, int ms);
