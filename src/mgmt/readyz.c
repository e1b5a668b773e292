/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/readyz.h"

#include <stdlib.h>

#include "acme/ca.h"
#include "base/alloc.h"
#include "base/err.h"
#include "issue/desk.h"
#include "mgmt/reply.h"
#include "mgmt/status.h"

/* In the words a client would get; they are anybody's business. */
static char *
body(const struct status_conf *conf, bool draining)
{
	struct err e;
	bool ready = ca_ready(conf->ca, &e);
	bool account = !ready && e.kind == ERR_ACCOUNT;
	bool known = ca_account_url(conf->ca)[0] != '\0';

	return xasprintf("%s\n"
			 "configuration: loaded\n"
			 "listeners: %s\n"
			 "ca: %s\n"
			 "account: %s\n",
	    draining ? "shutting down" : "ready", draining ? "closed" : "open",
	    ready || account ? "ok" : e.detail,
	    account     ? e.detail
		: known ? "ok"
			: "not known yet");
}

void
readyz_handle(void *server, struct http_exchange *x)
{
	const struct status_conf *conf = status_conf(server);
	bool draining = desk_draining(conf->desk);
	char *text = body(conf, draining);

	reply_text(x, draining ? 503 : 200, text);
	free(text);
}
