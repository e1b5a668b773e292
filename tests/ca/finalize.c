/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finalizing an order (RFC 8555 7.4): the request is checked and the certificate made at once, also
 * if the order then stays in processing. */
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "base/clock.h"
#include "ca.h"
#include "certs.h"
#include "csr.h"
#include "handlers.h"
#include "jwk.h"
#include "options.h"
#include "order.h"
#include "request.h"

static bool
has_name(const struct order *o, const struct san *san)
{
	enum identifier_kind kind = san->kind == SAN_IP ? IDENTIFIER_IP : IDENTIFIER_DNS;

	for (size_t i = 0; i < o->count; i++)
		if (o->identifiers[i].kind == kind &&
		    strcmp(o->identifiers[i].value, san->text) == 0)
			return true;
	return false;
}

/* The names are exactly the order's. */
static bool
check_names(struct call *c, const struct order *o, const struct csr *csr)
{
	for (size_t i = 0; i < csr->count; i++)
		if (!has_name(o, &csr->names[i]))
			return answer_problem(c->answer, 400, "badCSR", "the order is not for %s",
			    csr->names[i].text);
	return csr->count == o->count ||
	    answer_problem(c->answer, 400, "badCSR", "names of the order are missing");
}

/* RFC 8555 11.1: not the account's. */
static bool
check_key(struct call *c, const struct csr *csr)
{
	struct buf own;
	bool same;

	buf_init(&own, DER_MAX);
	same = jwk_spki(c->key, &own) && der_equal(csr->spki, own.data, own.len);
	buf_done(&own);
	return !same || answer_problem(c->answer, 400, "badCSR", "the key is that of the account");
}

/* What becomes of the order now. */
static void
settle(struct call *c, struct order *o)
{
	const struct fault *processing = call_fault(c, FAULT_PROCESSING);
	const struct fault *late = call_fault(c, FAULT_LATE_INVALID);

	o->status = STATUS_PROCESSING;
	o->ready_at = clock_mono_ms() + c->ca->options->finalize_delay;
	if (processing != NULL) {
		o->polls_left = fault_number(processing, "polls", 0);
		o->fate = o->polls_left > 0 ? FATE_VALID : FATE_NEVER;
	} else if (late != NULL) {
		o->fate = FATE_INVALID;
		o->polls_left = fault_number(late, "polls", 1);
		json_decref(o->error);
		o->error = answer_problem_json(fault_string(late, "type", "serverInternal"), 403,
		    fault_string(late, "detail", "issuing failed at the last moment"));
	} else {
		order_refresh(c->ca, o, false);
	}
}

static void
finalize(struct call *c, struct order *o, struct der der)
{
	struct csr csr;
	struct err e;

	if (!csr_parse(&csr, der, c->ca->options->verify, &e))
		answer_problem(c->answer, 400, "badCSR", "%s", e.detail);
	else if (check_names(c, o, &csr) && check_key(c, &csr)) {
		o->cert = cert_new(c, o, csr.spki)->id;
		settle(c, o);
		order_answer(c, 200, o);
	}
	csr_done(&csr);
}

void
handle_finalize(struct call *c)
{
	struct order *o = table_get(&c->ca->state.orders, c->number);
	const char *text = call_text(c, "csr");
	struct buf der;

	if (o == NULL) {
		handle_unknown(c);
		return;
	}
	if (o->account != c->account) {
		answer_problem(c->answer, 403, "unauthorized", "this is another's order");
		return;
	}
	order_refresh(c->ca, o, false);
	if (o->status != STATUS_READY) {
		answer_problem(
		    c->answer, 403, "orderNotReady", "the order is %s", status_name(o->status));
		return;
	}
	buf_init(&der, REQUEST_BODY_MAX);
	if (*text != '\0' && b64_decode(text, strlen(text), &der))
		finalize(c, o, (struct der){(const uint8_t *)der.data, der.len});
	else
		answer_problem(c->answer, 400, "malformed", "csr is no base64url");
	buf_done(&der);
}
