/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/revoke.h"

#include <stdlib.h>

#include "acme/account.h"
#include "acme/ca_private.h"
#include "acme/request.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "codec/b64url.h"
#include "codec/json.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"

struct revocation {
	struct op op;
	struct ca *ca;
	const struct key *key;
	char *payload;
	int64_t deadline;
	acme_revoke_done_fn *done;
	void *arg;
	struct op *step;     /* account, directory or revokeCert */
	struct timer *timer; /* the deadline while waiting for the account */
	struct task task;
	unsigned generation; /* of the account that signed it */
	struct err doubt;    /* why the account was looked at once more; ERR_NONE: it was not */
};

static void
revocation_free(void *ptr)
{
	struct revocation *r = ptr;

	timer_free(r->timer);
	free(r->payload);
	free(r);
}

static void
revocation_cancel(struct op *op)
{
	struct revocation *r = (struct revocation *)op;

	op_cancel(&r->step);
	timer_stop(r->timer);
	task_cancel(&r->task);
	loop_dispose(r->ca->loop, revocation_free, r);
}

/* The only way out but cancellation. */
static void
revocation_end(struct revocation *r, bool already, const struct err *e)
{
	struct loop *loop = r->ca->loop;

	timer_stop(r->timer);
	op_end(&r->op);
	r->done(r->arg, already, e);
	loop_dispose(loop, revocation_free, r);
}

/* RFC 5280 5.3.1: unspecified is said by saying nothing. */
static char *
revocation_payload(const struct acme_revoke_conf *conf)
{
	struct json *object = json_new_object();
	char *der = b64url_encode(conf->der, conf->der_len);
	char *text;

	json_set_string(object, "certificate", der);
	if (conf->reason != REVOKE_UNSPECIFIED)
		json_set_integer(object, "reason", conf->reason);
	text = json_text(object, 0);
	json_free(object);
	free(der);
	return text;
}

/* ---- revokeCert ---- */

static void revocation_account(struct revocation *r);

/* The account may have gone or moved (acme/order_failure.c): it is looked after once, and if that
 * changes anything the request is worth sending again. */
static bool
revocation_doubts_account(struct revocation *r, const struct err *e)
{
	bool doubtful = e->kind == ERR_ACCOUNT || e->problem == PROBLEM_UNAUTHORIZED ||
	    e->problem == PROBLEM_MALFORMED;

	return doubtful && r->key == NULL && r->doubt.kind == ERR_NONE;
}

static void
revoked(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct revocation *r = arg;

	if (e == NULL || e->problem == PROBLEM_ALREADY_REVOKED) {
		revocation_end(r, e != NULL, NULL);
	} else if (revocation_doubts_account(r, e)) {
		r->doubt = *e;
		revocation_account(r);
	} else {
		revocation_end(r, false, e);
	}
}

static void
revocation_send(struct revocation *r)
{
	struct request_conf conf = {
	    .mode = r->key != NULL ? REQUEST_SIGNED_JWK : REQUEST_SIGNED,
	    .place = PLACE_REVOKE,
	    .url = r->ca->directory.object.revoke_cert,
	    .payload = r->payload,
	    .key = r->key,
	    .deadline = r->deadline,
	};

	timer_stop(r->timer);
	r->generation = account_generation(r->ca->account);
	request_start(r->ca, &conf, revoked, r, &r->step);
}

/* ---- what comes before: the account, or the directory alone ---- */

static void
revocation_account_ready(void *arg, const struct err *e)
{
	struct revocation *r = arg;

	if (e != NULL)
		revocation_end(r, false, e);
	else if (r->doubt.kind != ERR_NONE && r->generation == account_generation(r->ca->account))
		revocation_end(r, false, &r->doubt);
	else
		revocation_send(r);
}

static void
revocation_account(struct revocation *r)
{
	int64_t left = r->deadline - clock_mono_ms();

	timer_start(r->timer, left > 0 ? left : 0);
	account_wait(r->ca->account, revocation_account_ready, r, &r->step);
}

static void
revocation_directory_fetched(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct revocation *r = arg;
	struct err bad;

	if (e == NULL && !ca_read_directory(r->ca, answer, &bad))
		e = &bad;
	if (e != NULL)
		revocation_end(r, false, e);
	else
		revocation_send(r);
}

static void
revocation_directory(struct revocation *r)
{
	struct request_conf conf = {
	    .mode = REQUEST_GET,
	    .place = PLACE_DIRECTORY,
	    .url = r->ca->conf.directory_url,
	    .deadline = r->deadline,
	};

	request_start(r->ca, &conf, revocation_directory_fetched, r, &r->step);
}

/* ---- start ---- */

static void
revocation_begin(void *arg)
{
	struct revocation *r = arg;

	if (r->key == NULL)
		revocation_account(r);
	else if (directory_fresh(&r->ca->directory, clock_mono_ms()))
		revocation_send(r);
	else
		revocation_directory(r);
}

static void
revocation_expired(void *arg)
{
	struct revocation *r = arg;
	struct err e;

	op_cancel(&r->step);
	err_set(&e, ERR_TIMEOUT, "revocation: the account at %s is not ready in time", r->ca->host);
	revocation_end(r, false, &e);
}

void
acme_revoke_start(struct ca *ca, const struct acme_revoke_conf *conf, acme_revoke_done_fn *done,
    void *arg, struct op **slot)
{
	struct revocation *r = xcalloc(1, sizeof(*r));

	r->ca = ca;
	r->key = conf->key;
	r->payload = revocation_payload(conf);
	r->deadline = conf->deadline;
	r->done = done;
	r->arg = arg;
	r->timer = timer_new(ca->loop, revocation_expired, r);
	op_begin(&r->op, slot, revocation_cancel);
	task_post(ca->loop, &r->task, revocation_begin, r);
}
