/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/authentication.h"
#include "ev/op.h"
#include "http/server.h"
#include "issue/desk.h"
#include "mgmt/mgmt.h"
#include "mgmt/reply.h"

/* A request that waits at the desk. Owned by its exchange: gone with the reply or the hang-up. */
struct sign {
	struct http_exchange *x;
	struct op *op;
	char *header_detail; /* the Authentication header is there but not ours to read: why */
};

static void
sign_free(struct sign *s)
{
	free(s->header_detail);
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

	if (e == NULL) {
		send_chain(s->x, result);
	} else if (e->kind == ERR_FORBIDDEN && s->header_detail != NULL) {
		struct err both = *e;
		err_prefix(&both, "%s", s->header_detail);
		reply_error(s->x, &both, NULL);
	} else {
		reply_error(s->x, e, NULL);
	}
	sign_free(s);
}

static void
hung_up(void *arg)
{
	struct sign *s = arg;

	op_cancel(&s->op);
	sign_free(s);
}

/* A header we cannot read only matters if no block admits the request without it: other software
 * may send an Authorization of its own. */
static bool
read_authentication(struct sign *s, struct authentication *ret)
{
	const char *value = http_exchange_header(s->x, "Authentication");
	struct err e;

	if (value == NULL)
		value = http_exchange_header(s->x, "Authorization");
	if (value == NULL)
		return false;
	if (authentication_parse(value, strlen(value), ret, &e))
		return true;
	s->header_detail = xstrdup(e.detail);
	return false;
}

void
sign_handle(void *server, struct http_exchange *x)
{
	struct mgmt *m = server;
	struct sign *s = xcalloc(1, sizeof(*s));
	struct authentication auth;
	struct peer_identity peer;
	struct sign_request request = {.who = &peer.client};

	s->x = x;
	identity_of(x, mgmt_proxies(m), &peer);
	request.auth = read_authentication(s, &auth) ? &auth : NULL;
	request.body = http_exchange_body(x, &request.body_len);
	http_exchange_on_hangup(x, hung_up, s);
	desk_sign(mgmt_desk(m), &request, signed_or_not, s, &s->op);
}
