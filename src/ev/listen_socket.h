/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The socket of a listener. Internal to listener.c. */
#pragma once

#include <stdbool.h>

#include "ev/listener.h"

/* Bound and listening, or -1; see listener_open. share: beside others that share their port. */
int listen_socket(
    const struct listen_address *a, int type, bool share, bool *ret_no_family, struct err *e);
/* Whether others of this user that share it too may be bound to the port. */
void listen_socket_share(int fd, bool on);
/* What a socket that was made by someone else lacks: non-blocking, close-on-exec, no delay. */
void listen_socket_prepare(int fd, int family, int type);
/* 0 for a unix socket, or if the kernel is to choose. */
unsigned listen_port(const struct listen_address *a);
