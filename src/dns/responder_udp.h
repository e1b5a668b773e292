/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The responder's datagrams: one socket, answered from the address that was asked. */
#pragma once

#include "base/err.h"

struct listen_address;
struct loop;
struct responder_table;
struct responder_udp;

/* table is borrowed. ERR_CONFIG; ERR_INTERNAL if the port is taken. Nothing is answered yet. */
struct responder_udp *responder_udp_open(struct loop *loop, const struct responder_table *table,
    const struct listen_address *addr, struct err *e);
/* take: also if someone else serves on the address. */
bool responder_udp_serve(struct responder_udp *u, bool take, struct err *e);
void responder_udp_free(struct responder_udp *u); /* NULL is fine */
