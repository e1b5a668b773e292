/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/sign.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "ev/op.h"
#include "http/server.h"
#include "issue/desk.h"
#include "mgmt/credentials.h"
#include "mgmt/mgmt.h"
#include "mgmt/reply.h"

/* A request that waits at the desk. Owned by its exchange: gone with the reply or the hang-up. */
struct sign {
	struct http_exchange *x;
	struct op *op;
	char *unread; /* of its credentials */
};

static void
sign_free(struct sign *s)
{
	free(s->unread);
	free(s);
}

static void
send_chain(struct http_exchange *x, const struct sign_result *result)
{
	char renewal[ERR_DETAIL_MAX + 16];
	struct http_reply reply = {
	    .status = 200,
	    .content_type = "application/pem-certificate-chain",
	    .body = result->pem,
	    .body_len = result->pem_len,
	};

	if (result->renewal_failed != NULL) {
		char reason[REPLY_REASON_MAX + 1];
		snprintf(renewal, sizeof(renewal), "failed; %s",
		    reply_reason(result->renewal_failed, reason));
		reply.headers[0] = (struct http_header){"X-Acmems-Renewal", renewal};
	}
	http_exchange_reply(x, &reply);
}

static void
signed_or_not(void *arg, const struct sign_result *result, const struct err *e)
{
	struct sign *s = arg;

	if (e == NULL)
		send_chain(s->x, result);
	else
		credentials_refuse(s->x, e, s->unread);
	sign_free(s);
}

static void
hung_up(void *arg)
{
	struct sign *s = arg;

	op_cancel(&s->op);
	sign_free(s);
}

void
sign_handle(void *server, struct http_exchange *x)
{
	struct mgmt *m = server;
	struct sign *s = xcalloc(1, sizeof(*s));
	struct credentials who;
	struct sign_request request = {.who = &who.peer.client};

	s->x = x;
	credentials_read(x, mgmt_proxies(m), &who, &s->unread);
	request.auth = who.auth;
	request.body = http_exchange_body(x, &request.body_len);
	http_exchange_on_hangup(x, hung_up, s);
	desk_sign(mgmt_desk(m), &request, signed_or_not, s, &s->op);
}
