/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of routes. Paths are matched raw, without the query, never decoded. */
#pragma once

struct http_exchange;
struct mgmt;

/* Finds the route and calls its endpoint, or answers 404 or 405 with Allow. */
void route_dispatch(struct mgmt *m, struct http_exchange *x);
