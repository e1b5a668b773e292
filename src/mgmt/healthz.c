/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/healthz.h"

#include "mgmt/reply.h"

void
healthz_handle(void *server, struct http_exchange *x)
{
	(void)server;
	reply_text(x, 200, "ok\n");
}
