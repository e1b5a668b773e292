/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clients of an HTTP server under test, on a unix socket, in the one thread of the loop. The
 * input is what they send, as it is, but for the octet 0xfe and a letter behind it:
 *
 *   s    what was written so far is sent, and the loop turns: the next read begins here
 *   0-3  another client speaks from here on; it connects if need be
 *   h    the client closes its half          x    the client closes altogether
 *   p    the client stops reading, or goes on
 *   a    the oldest request that waits is answered          A    the newest
 *   t    a second passes          T    half a minute          U    ten minutes
 *   f    the server is freed, and another takes the listener
 *   0xfe the octet itself
 *
 * Time is tests/flow/fake/fake_clock.c's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer;
struct listener;
struct loop;

struct peers_server {
	struct loop *loop;
	const char *path; /* of its socket */
	/* Answers one request that waits; false if there is none. NULL: none ever waits. */
	bool (*answer)(bool newest);
	void (*restart)(void); /* NULL: it cannot be */
	/* A final reply was received by the client that connected as the n-th. May be NULL. */
	void (*received)(size_t n, const struct answer *a);
};

/* An empty folder for a socket; removed with it at exit. Returns the path of the socket. */
const char *peers_socket(void);

/* The loop, the socket in such a folder, and the listener there. */
struct listener *peers_listen(struct peers_server *s);

/* Plays the input, has everything answered and every client go away, and makes sure that the
 * server has let go of all of it. Returns the number of final replies. */
size_t peers_play(const struct peers_server *s, const uint8_t *data, size_t size);
