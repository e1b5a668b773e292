/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/revoke.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ev/op.h"
#include "http/server.h"
#include "issue/desk.h"
#include "mgmt/credentials.h"
#include "mgmt/mgmt.h"
#include "mgmt/reply.h"

/* A request that waits at the desk. Owned by its exchange: gone with the reply or the hang-up. */
struct revoke {
	struct http_exchange *x;
	struct op *op;
	char *unread; /* of its credentials */
};

static void
revoke_free(struct revoke *r)
{
	free(r->unread);
	free(r);
}

static void
revoked_or_not(void *arg, const struct revoke_result *result, const struct err *e)
{
	struct revoke *r = arg;
	char text[512];

	if (e != NULL) {
		credentials_refuse(r->x, e, r->unread);
	} else {
		snprintf(text, sizeof(text), "%s: certificate %s for %s\n",
		    result->already ? "Revoked before" : "Revoked", result->serial, result->names);
		reply_text(r->x, 200, text);
	}
	revoke_free(r);
}

static void
hung_up(void *arg)
{
	struct revoke *r = arg;

	op_cancel(&r->op);
	revoke_free(r);
}

bool
revoke_read_reason(const char *target, enum revoke_reason *ret, struct err *e)
{
	static const struct {
		const char *query;
		enum revoke_reason reason;
	} rows[] = {
	    {"reason=0", REVOKE_UNSPECIFIED},
	    {"reason=1", REVOKE_KEY_COMPROMISE},
	    {"reason=4", REVOKE_SUPERSEDED},
	    {"reason=5", REVOKE_CESSATION},
	};
	const char *query = strchr(target, '?');

	*ret = REVOKE_UNSPECIFIED;
	if (query == NULL || query[1] == '\0')
		return true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(query + 1, rows[i].query) != 0)
			continue;
		*ret = rows[i].reason;
		return true;
	}
	return err_set(e, ERR_BAD_REQUEST,
	    "/revoke takes ?reason=0, 1 (the key is compromised), 4 (superseded) or 5 (no longer "
	    "used) and nothing else");
}

bool
revoke_offered(void *mgmt)
{
	return desk_revokes(mgmt_desk(mgmt));
}

void
revoke_handle(void *mgmt, struct http_exchange *x)
{
	struct mgmt *m = mgmt;
	struct credentials who;
	struct revoke_request request = {.who = &who.peer.client};
	struct revoke *r;
	struct err e;

	if (!revoke_read_reason(http_exchange_target(x), &request.reason, &e)) {
		reply_error(x, &e, NULL);
		return;
	}
	r = xcalloc(1, sizeof(*r));
	r->x = x;
	credentials_read(x, mgmt_proxies(m), &who, &r->unread);
	request.auth = who.auth;
	request.body = http_exchange_body(x, &request.body_len);
	http_exchange_on_hangup(x, hung_up, r);
	desk_revoke(mgmt_desk(m), &request, revoked_or_not, r, &r->op);
}
