/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A listening socket and its connections. Each request is handed to the owner, who fills in the
 * answer before it returns; how long that takes to go out is the connection's business. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/err.h"

struct answer;
struct event_base;
struct request;
struct server;

/* What a new connection gets. */
struct greeting {
	SSL_CTX *tls;     /* NULL: plain */
	bool silent;      /* nothing is read or said */
	bool reset;       /* at once */
	bool reset_later; /* once the handshake is done */
};

struct server_conf {
	struct event_base *base;
	const char *address; /* ADDRESS:PORT; port 0: any */
	void *arg;
	struct greeting (*greet)(void *arg);
	void (*handle)(void *arg, uint64_t connection, const struct request *r, struct answer *a);
};

struct server_counts {
	uint64_t accepted, open, handshakes, failed_handshakes, broken;
};

struct server *server_new(const struct server_conf *conf, struct err *e);
void server_free(struct server *s);
/* ADDRESS:PORT it listens on. */
const char *server_address(const struct server *s);
const struct server_counts *server_counts(const struct server *s);
void server_reset_counts(struct server *s);
