/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of routes, one per server. Paths are matched raw, without the query, never decoded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct http_exchange;

struct route {
	const char *path;
	const char *allow; /* what 405 says */
	void (*handle)(void *server, struct http_exchange *x);
	bool (*offered)(void *server); /* NULL: always. If not, there is no such path */
	size_t body_factor;            /* how many times max-size a body may have; 0: once */
};

struct route_table {
	const struct route *routes;
	size_t count;
	const char *not_found; /* the sentence of a 404 */
};

/* NULL: there is none, or it is not offered. */
const struct route *route_find(const struct route_table *table, void *server, const char *target);
/* Finds the route and calls its endpoint with server, or answers 404 or 405 with Allow. */
void route_dispatch(const struct route_table *table, void *server, struct http_exchange *x);
