/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET /healthz: the process is alive and its loop turns. */
#pragma once

struct http_exchange;
struct mgmt;

void healthz_handle(struct mgmt *m, struct http_exchange *x);
