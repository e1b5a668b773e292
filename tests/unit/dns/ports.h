/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A port that is free for UDP and TCP on loopback, below those the kernel gives to connections:
 * tests run beside each other, and a responder needs both. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.h"

enum { PORTS_FIRST = 4000, PORTS_COUNT = 6000 };

static inline bool
port_is_free(unsigned port, int type)
{
	struct sockaddr_in sin = {
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_ANY),
	};
	int fd = socket(AF_INET, type, 0);
	bool ok = bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;

	close(fd);
	return ok;
}

static inline unsigned
free_port(void)
{
	unsigned port;

	do
		port = PORTS_FIRST + random_below(PORTS_COUNT);
	while (!port_is_free(port, SOCK_DGRAM) || !port_is_free(port, SOCK_STREAM));
	return port;
}
