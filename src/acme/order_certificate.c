/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From an order that is ready to the certificate (RFC 8555 7.4, 7.4.2): finalize and download. */
#include <stdlib.h>
#include <string.h>

#include "acme/ca_private.h"
#include "acme/order_json.h"
#include "acme/order_private.h"
#include "acme/request.h"

/* ---- finalize ---- */

/* The body may be empty or nonsense; the poll shows what became of it. */
static enum order_state
order_finalized(struct order *o, const struct request_answer *answer)
{
	o->finalized = true;
	poll_init(&o->poll, o->ca->loopback);
	poll_heard(&o->poll, answer->retry_after);
	return order_read(o, answer, NULL) ? order_next(o) : ORDER_WAIT;
}

static enum order_state
order_refused(struct order *o, const struct err *cause)
{
	struct err e = *cause;

	if (e.problem == PROBLEM_ORDER_NOT_READY)
		return ORDER_WAIT;
	if (e.kind == ERR_BAD_CSR && e.problem == PROBLEM_UNAUTHORIZED &&
	    o->conf.csr->names_only_in_cn)
		err_prefix(&e,
		    "put the names into the CSR's subjectAltName, the CA does not look "
		    "at the common name alone");
	return order_failed(o, &e);
}

/* No answer: the CA may be issuing all the same, which the order shows. The leaf's key tells
 * whether it was for us. Once; then the CA is as good as gone. */
static bool
finalize_may_be_done(struct order *o, const struct request_answer *answer)
{
	bool first = !o->finalize_lost;

	if (answer->status != 0)
		return false;
	o->finalize_lost = true;
	return first;
}

static void
finalized(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct order *o = arg;

	if (e == NULL)
		order_move(o, order_finalized(o, answer));
	else if (finalize_may_be_done(o, answer))
		order_move(o, ORDER_WAIT);
	else
		order_move(o, order_refused(o, e));
}

enum order_state
order_enter_finalize(struct order *o)
{
	char *payload = order_finalize_payload(o->conf.csr);
	struct request_conf conf = {
	    .place = PLACE_FINALIZE,
	    .url = o->object.finalize,
	    .payload = payload,
	};

	order_request(o, &conf, finalized);
	free(payload);
	return ORDER_FINALIZE;
}

/* ---- download ---- */

static enum order_state
order_downloaded(struct order *o, const struct request_answer *answer)
{
	struct err e;

	o->chain = chain_parse(answer->body, answer->body_len, &e);
	if (o->chain == NULL) {
		err_prefix(&e, "certificate: %s", o->ca->host);
		return order_failed(o, &e);
	}
	if (memcmp(o->chain->leaf.spki_sha256, o->conf.csr->spki_sha256,
		sizeof(o->conf.csr->spki_sha256)) == 0)
		return ORDER_DONE;
	chain_free(o->chain);
	o->chain = NULL;
	return order_again(o, "its certificate is for another key");
}

static void
downloaded(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct order *o = arg;

	order_move(o, e != NULL ? order_failed(o, e) : order_downloaded(o, answer));
}

enum order_state
order_enter_download(struct order *o)
{
	struct request_conf conf = {
	    .place = PLACE_CERTIFICATE,
	    .url = o->object.certificate,
	    .accept = "application/pem-certificate-chain",
	};

	order_request(o, &conf, downloaded);
	return ORDER_DOWNLOAD;
}
