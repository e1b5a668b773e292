/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET /healthz: the process is alive and its loop turns. */
#pragma once

struct http_exchange;

void healthz_handle(void *server, struct http_exchange *x);
