/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The status HTTP interface: what orchestrators and monitoring ask. A server of
 * its own, with a table of its own, so that it can listen where clients do not.
 * Serves to the very end: /readyz says that we are on the way down.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct ca;
struct challenges;
struct desk;
struct http_client;
struct http_server_stats;
struct listener;
struct loop;
struct mgmt;
struct store;
struct status;

struct status_conf {
	const struct desk *desk; /* all borrowed; must outlive the server */
	const struct mgmt *mgmt;
	const struct challenges *challenges;
	const struct http_client *client;
	const struct ca *ca;
	struct store *const *stores;
	size_t store_count;
};

struct status *status_new(struct loop *loop, const struct status_conf *conf);
/* What it reports on from now on. */
void status_configure(struct status *s, const struct status_conf *conf);
void status_free(struct status *s); /* NULL is fine */
bool status_serve(struct status *s, struct listener *l, struct err *e);

/* For the endpoints of this room. */
const struct status_conf *status_conf(const struct status *s);
const struct http_server_stats *status_stats(const struct status *s);
double status_started(const struct status *s); /* of this process; seconds since 1970 */
