/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A listener on a free port of 127.0.0.1, which no configuration can ask for. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "ev/listener.h"

static inline struct listen_address
loopback_address(void)
{
	struct listen_address a;
	struct sockaddr_storage sa = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&sa;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listen_address_set(&a, &sa, sizeof(*in));
	return a;
}

static inline struct listener *
loopback_listener(struct loop *loop)
{
	struct listen_address a = loopback_address();

	return listener_open(loop, &a, NULL, NULL);
}

static inline uint16_t
listener_port(const struct listener *l)
{
	return ntohs(((const struct sockaddr_in *)&listener_address(l)->sa)->sin_port);
}
