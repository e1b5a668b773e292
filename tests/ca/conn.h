/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection: reads requests, plays the answers. It frees itself when it ends. */
#pragma once

#include <stdint.h>

#include "base/queue.h"
#include "server.h"

struct conn;
TAILQ_HEAD(conn_list, conn);

struct conn_owner {
	struct conn_list *list;
	struct server_counts *counts;
	struct event_base *base;
	void *arg;
	void (*handle)(void *arg, uint64_t connection, const struct request *r, struct answer *a);
	uint64_t id;
};

/* Takes the descriptor. */
void conn_start(const struct conn_owner *owner, int fd, struct greeting greeting);
void conn_list_clear(struct conn_list *list);
