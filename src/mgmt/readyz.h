/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GET /readyz: whether clients should be sent here. The configuration is loaded
 * and the listeners are open whenever this answers; so it says 503 only on the
 * way down. CA and account stand in the body and do not make it fail: stored
 * certificates are served without them.
 */
#pragma once

struct http_exchange;

void readyz_handle(void *server, struct http_exchange *x);
