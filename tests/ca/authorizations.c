/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Authorizations and challenges as resources (RFC 8555 7.5). */
#include <string.h>

#include "authz.h"
#include "ca.h"
#include "handlers.h"
#include "options.h"
#include "order.h"
#include "probe.h"

/* The account's own, or NULL and an answer. */
static struct authz *
find(struct call *c)
{
	struct authz *a = table_get(&c->ca->state.authz, c->number);

	if (a == NULL) {
		handle_unknown(c);
		return NULL;
	}
	if (a->order->account == c->account)
		return a;
	answer_problem(c->answer, 403, "unauthorized", "this is another's authorization");
	return NULL;
}

static void
add_retry(struct call *c)
{
	if (c->ca->options->retry_after > 0)
		answer_header(c->answer, "Retry-After", "%ld", c->ca->options->retry_after);
}

void
handle_authz(struct call *c)
{
	struct authz *a = find(c);

	if (a == NULL)
		return;
	if (c->payload != NULL && strcmp(call_text(c, "status"), "deactivated") == 0) {
		a->status = STATUS_DEACTIVATED;
		order_refresh(c->ca, a->order, false);
	}
	answer_json(c->answer, 200, authz_json(c->ca, a));
	if (a->status == STATUS_PENDING)
		add_retry(c);
}

/* What the faults have in store, else an honest validation. */
static void
validate(struct call *c, struct authz *a, struct challenge *ch)
{
	const struct fault *invalid = call_fault(c, FAULT_CHALLENGE_INVALID);

	ch->status = STATUS_PROCESSING;
	if (call_fault(c, FAULT_CHALLENGE_NEVER) != NULL)
		return;
	if (invalid == NULL) {
		probe_start(c->ca, a, ch);
		return;
	}
	challenge_decide(c->ca, a, ch, fault_string(invalid, "type", "unauthorized"),
	    fault_string(invalid, "detail", "told not to like the answer"),
	    strcmp(fault_string(invalid, "authorization", "invalid"), "pending") == 0);
}

void
handle_challenge(struct call *c)
{
	struct authz *a = find(c);
	struct challenge *ch;

	if (a == NULL)
		return;
	ch = authz_challenge(a, c->rest);
	if (ch == NULL || !ch->has_token) {
		handle_unknown(c);
		return;
	}
	if (ch->posted && c->payload != NULL && call_fault(c, FAULT_CHALLENGE_CONFLICT) != NULL) {
		answer_problem(c->answer, 409, "malformed", "the challenge is not pending");
		return;
	}
	if (c->payload != NULL && !ch->posted && a->status == STATUS_PENDING) {
		ch->posted = true;
		validate(c, a, ch);
	}
	answer_json(c->answer, 200, challenge_json(c->ca, a, ch));
	answer_header(
	    c->answer, "Link", "<%s/authz/%llu>;rel=\"up\"", c->ca->url, (unsigned long long)a->id);
	if (ch->status == STATUS_PROCESSING)
		add_retry(c);
}
