/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GET /metrics: what is counted, in the Prometheus text format. One table; the
 * numbers live with whoever counts, so that a scrape only adds up. Labels have
 * values from bounded sets: no names, no peers.
 */
#pragma once

struct http_exchange;

void metrics_handle(void *server, struct http_exchange *x);
