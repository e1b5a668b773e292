/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request that waits for its reply. Internal to the server's files. */
#pragma once

struct evhttp_request;
struct http_connection;
struct http_exchange;

/* Takes the request evhttp hands over, and calls the handler or refuses. */
void exchange_begin(struct http_connection *c, struct evhttp_request *req);
/* The client is gone, and the connection freed. Tells who waits and frees. */
void exchange_hung_up(struct http_exchange *x);
