/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates as resources: download and revocation (RFC 8555 7.4.2, 7.6). */
#include <string.h>

#include "b64.h"
#include "ca.h"
#include "certs.h"
#include "handlers.h"
#include "jwk.h"
#include "request.h"

void
handle_cert(struct call *c)
{
	struct cert *cert = table_get(&c->ca->state.certs, c->number);
	const struct fault *chain = call_fault(c, FAULT_CHAIN);

	if (cert == NULL || cert->order->status != STATUS_VALID) {
		handle_unknown(c);
		return;
	}
	if (cert->order->account != c->account) {
		answer_problem(c->answer, 403, "unauthorized", "this is another's certificate");
		return;
	}
	answer_text(c->answer, 200, "application/pem-certificate-chain", "");
	cert_chain(c->ca, cert, chain != NULL ? fault_string(chain, "form", "garbage") : NULL,
	    &c->answer->body);
}

/* The account that ordered it, or the certificate's own key. */
static bool
may_revoke(struct call *c, const struct cert *cert)
{
	struct buf spki;
	bool may;

	if (c->account != NULL)
		return cert->order->account == c->account;
	buf_init(&spki, DER_MAX);
	may = jwk_spki(c->key, &spki) && spki.len == cert->spki_bytes.len &&
	    memcmp(spki.data, cert->spki_bytes.data, spki.len) == 0;
	buf_done(&spki);
	return may;
}

/* RFC 5280 5.3.1; 7 is unused, and some are the CA's alone. */
static bool
is_reason(const json_t *reason)
{
	json_int_t n = json_integer_value(reason);

	return reason == NULL ||
	    (json_is_integer(reason) && n >= 0 && n <= 10 && n != 2 && n != 7 && n != 8);
}

static void
revoke(struct call *c, struct cert *cert)
{
	if (cert == NULL)
		answer_problem(c->answer, 404, "malformed", "this certificate is not ours");
	else if (!may_revoke(c, cert))
		answer_problem(c->answer, 403, "unauthorized", "this is another's certificate");
	else if (!is_reason(json_object_get(c->payload, "reason")))
		answer_problem(c->answer, 400, "badRevocationReason", "no such reason");
	else if (cert->revoked)
		answer_problem(c->answer, 400, "alreadyRevoked", "it was revoked before");
	else
		cert->revoked = true;
}

void
handle_revoke(struct call *c)
{
	const char *text = call_text(c, "certificate");
	struct buf der;

	buf_init(&der, REQUEST_BODY_MAX);
	if (*text == '\0' || !b64_decode(text, strlen(text), &der))
		answer_problem(c->answer, 400, "malformed", "certificate is no base64url");
	else
		revoke(c, cert_by_der(c->ca, (struct der){(const uint8_t *)der.data, der.len}));
	buf_done(&der);
}
