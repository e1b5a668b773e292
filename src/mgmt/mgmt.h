/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The management HTTP interface: what clients post to. A const table of routes,
 * one file per endpoint.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mgmt/identity.h"

struct desk;
struct http_exchange;
struct http_server_stats;
struct listener;
struct loop;
struct mgmt;

struct mgmt_server_conf {
	struct desk *desk;          /* borrowed; must outlive the server */
	struct proxy_trust proxies; /* ranges borrowed */
	size_t max_size;            /* bytes of a CSR body; of a chain, 16 times as many */
};

struct mgmt *mgmt_new(struct loop *loop, const struct mgmt_server_conf *conf);
/* For requests that come from now on; the desk stays. */
void mgmt_configure(struct mgmt *m, const struct mgmt_server_conf *conf);
/* Requests that still wait are dropped with their connections. NULL is fine. */
void mgmt_free(struct mgmt *m);
bool mgmt_serve(struct mgmt *m, struct listener *l, struct err *e);
/* No new connections; requests that wait are answered. */
void mgmt_stop_accepting(struct mgmt *m);
/* Requests without a reply that has been written to its end. */
size_t mgmt_pending(const struct mgmt *m);
const struct http_server_stats *mgmt_stats(const struct mgmt *m);

/* For the endpoints of this room. */
struct desk *mgmt_desk(struct mgmt *m);
const struct proxy_trust *mgmt_proxies(const struct mgmt *m);
