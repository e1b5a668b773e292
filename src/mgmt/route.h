/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of routes, one per server. Paths are matched raw, without the query, never decoded. */
#pragma once

#include <stddef.h>

struct http_exchange;

struct route {
	const char *path;
	const char *allow; /* what 405 says */
	void (*handle)(void *server, struct http_exchange *x);
};

struct route_table {
	const struct route *routes;
	size_t count;
	const char *not_found; /* the sentence of a 404 */
};

/* Finds the route and calls its endpoint with server, or answers 404 or 405 with Allow. */
void route_dispatch(const struct route_table *table, void *server, struct http_exchange *x);
