/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections of a listener, for a protocol that we speak ourselves (HTTP has its own way in,
 * http/server.h). */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"

struct listener;

/* fd is non-blocking, close-on-exec, and now fn's. */
typedef void acceptor_fn(void *arg, int fd, const struct sockaddr *peer, socklen_t len);

/* From now on until the listener is freed. When descriptors run short, connections are closed at
 * once and the listener pauses. ERR_INTERNAL. */
bool acceptor_start(struct listener *l, acceptor_fn *fn, void *arg, struct err *e);
