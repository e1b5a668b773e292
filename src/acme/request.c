/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/request.h"

#include <stdlib.h>
#include <string.h>

#include "acme/account.h"
#include "acme/bucket.h"
#include "acme/ca_private.h"
#include "acme/nonce.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/date.h"
#include "codec/jws.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"
#include "http/client.h"

enum {
	REQUEST_MS = 30 * 1000, /* from the first sending: for answers, repetitions and pauses */
	BAD_NONCES = 10,
	STALE = 1,
	CLOCK_SLACK_MS = 50, /* timers of libevent may be a little early by our clock */
};

struct request {
	struct op op;
	struct ca *ca;
	struct request_conf conf;
	char *url;
	char *payload;
	request_done_fn *done;
	void *arg;
	struct op *step;     /* bucket, nonce or HTTP */
	struct timer *timer; /* the deadline while waiting for bucket or nonce; the pause before a
				repetition */
	char *nonce;         /* of the answer that refused the last one */
	int64_t until;       /* 0: not sent yet */
	unsigned generation; /* of the account that signed it last */
	unsigned bad_nonces;
	unsigned stale;
	bool signed_anew; /* with another key */
};

static void request_queue(struct request *r);

static bool
request_is_signed(const struct request *r)
{
	return r->conf.mode == REQUEST_SIGNED || r->conf.mode == REQUEST_SIGNED_JWK;
}

static void
request_free(void *ptr)
{
	struct request *r = ptr;

	timer_free(r->timer);
	free(r->url);
	free(r->payload);
	free(r->nonce);
	free(r);
}

static void
request_cancel(struct op *op)
{
	struct request *r = (struct request *)op;

	op_cancel(&r->step);
	timer_stop(r->timer);
	loop_dispose(r->ca->loop, request_free, r);
}

/* The only way out but cancellation. */
static void
request_end(struct request *r, const struct request_answer *answer, const struct err *e)
{
	struct loop *loop = r->ca->loop;

	timer_stop(r->timer);
	op_end(&r->op);
	r->done(r->arg, answer, e);
	loop_dispose(loop, request_free, r);
}

static void
request_fail(struct request *r, const struct request_answer *answer, const struct err *cause)
{
	static const struct request_answer nothing = {.retry_after = -1, .body = ""};
	struct err e = *cause;

	/* It was not the CA's fault if we had no time left. */
	if (answer == NULL && e.kind == ERR_UNREACHABLE &&
	    clock_mono_ms() + CLOCK_SLACK_MS >= r->conf.deadline)
		e.kind = ERR_TIMEOUT;
	err_prefix(&e, "%s", acme_place_name(r->conf.place));
	/* What is said of another key says nothing of the account. */
	if (r->conf.key == NULL || e.kind == ERR_UNREACHABLE)
		ca_failed(r->ca, r->conf.place, r->generation, &e);
	request_end(r, answer != NULL ? answer : &nothing, &e);
}

static void
request_expired(struct request *r)
{
	struct err e;

	err_set(&e, ERR_TIMEOUT, "no time left for a request to %s", r->ca->host);
	request_fail(r, NULL, &e);
}

static void
request_timer(void *arg)
{
	struct request *r = arg;

	/* Nothing under way: the pause is over. */
	if (r->step == NULL && clock_mono_ms() < r->conf.deadline) {
		request_queue(r);
		return;
	}
	op_cancel(&r->step);
	request_expired(r);
}

/* ---- repetitions ---- */

/* Waits and sends again if what the CA asks for fits into the request's time. */
static bool
request_pause(struct request *r, int64_t seconds)
{
	int64_t wait = (seconds > 0 ? seconds : 1) * 1000;

	if (seconds < 0 || clock_mono_ms() + wait >= r->until)
		return false;
	timer_start(r->timer, wait);
	return true;
}

static bool
request_repeat_nonce(struct request *r, const char *nonce, const struct err *e)
{
	if (e->problem != PROBLEM_BAD_NONCE || !request_is_signed(r) ||
	    r->bad_nonces >= BAD_NONCES || clock_mono_ms() >= r->until)
		return false;
	r->bad_nonces++;
	r->ca->conf.stats->nonce_retries++;
	free(r->nonce);
	r->nonce = nonce != NULL ? xstrndup(nonce, NONCE_MAX + 1) : NULL;
	request_queue(r);
	return true;
}

/* Another program may have changed the key since this was signed. Before that stage the order has
 * to be placed again: what was presented for its challenges names the old key. */
static bool
request_repeat_key(struct request *r, const struct err *e)
{
	struct account *account = r->ca->account;

	if ((r->conf.place != PLACE_FINALIZE && r->conf.place != PLACE_CERTIFICATE) ||
	    (e->problem != PROBLEM_MALFORMED && e->problem != PROBLEM_UNAUTHORIZED) ||
	    r->signed_anew || clock_mono_ms() >= r->until)
		return false;
	if (r->generation == account_generation(account) && !account_takes_new_key(account))
		return false;
	r->signed_anew = true;
	request_queue(r);
	return true;
}

static bool
request_repeat_stale(struct request *r, const struct http_answer *answer)
{
	if (!answer->stale || r->stale >= STALE || clock_mono_ms() >= r->until)
		return false;
	r->stale++;
	request_queue(r);
	return true;
}

static bool
request_repeat_busy(struct request *r, const struct request_answer *answer)
{
	if ((answer->status != 429 && answer->status != 503) || r->conf.poll)
		return false;
	return request_pause(r, answer->retry_after);
}

/* ---- the answer ---- */

static void
request_read(const struct http_answer *answer, struct request_answer *ret)
{
	const char *retry_after = http_answer_header(answer, "Retry-After");

	*ret = (struct request_answer){
	    .status = answer->status,
	    .body = answer->body != NULL ? answer->body : "",
	    .body_len = answer->body != NULL ? answer->body_len : 0,
	    .location = http_answer_header(answer, "Location"),
	    .retry_after = -1,
	};
	if (retry_after != NULL &&
	    !date_parse_retry_after(
		retry_after, strlen(retry_after), clock_wall(), &ret->retry_after))
		ret->retry_after = -1;
}

static void
request_refused(struct request *r, const struct request_answer *answer, const char *nonce)
{
	struct err e;

	problem_err_status(
	    answer->status, answer->body, answer->body_len, r->conf.place, r->ca->host, &e);
	/* What is told is what is kept: nobody pauses for longer. */
	if (answer->retry_after > 0)
		e.retry_after =
		    answer->retry_after < CA_PAUSE_MAX_S ? answer->retry_after : CA_PAUSE_MAX_S;
	if (request_repeat_nonce(r, nonce, &e))
		return;
	nonces_put(r->ca->nonces, nonce);
	if (request_repeat_key(r, &e))
		return;
	if (!r->conf.poll)
		ca_pause(r->ca, answer->status, &e);
	if (!request_repeat_busy(r, answer))
		request_fail(r, answer, &e);
}

static void
request_answered(void *arg, const struct http_answer *http, const struct err *e)
{
	struct request *r = arg;
	struct request_answer answer;
	const char *nonce;

	ca_stats_answered(r->ca->conf.stats, r->conf.place, http->status);
	if (http->status == 0) {
		if (!request_repeat_stale(r, http))
			request_fail(r, NULL, e);
		return;
	}
	request_read(http, &answer);
	nonce = http_answer_header(http, "Replay-Nonce");
	log_debug(
	    NULL, "%s: %s answered %d", acme_place_name(r->conf.place), r->ca->host, answer.status);
	if (answer.status < 200 || answer.status > 299) {
		request_refused(r, &answer, nonce);
		return;
	}
	nonces_put(r->ca->nonces, nonce);
	request_end(r, &answer, NULL);
}

/* ---- bucket, nonce, send ---- */

/* Where it goes to. The CA's data: NULL, another scheme, or no URL at all. */
static bool
request_uri(const struct request *r, struct uri *ret, struct err *e)
{
	if (r->url == NULL)
		return err_set(e, ERR_UPSTREAM, "%s gave no URL for it", r->ca->host);
	if (!uri_parse(r->url, strlen(r->url), ret, e)) {
		e->kind = ERR_UPSTREAM;
		return err_prefix(e, "%s gave an unusable URL", r->ca->host);
	}
	if (ret->https != r->ca->uri.https)
		return err_set(
		    e, ERR_UPSTREAM, "%s gave a URL of another scheme: %s", r->ca->host, r->url);
	return true;
}

static void
request_send(struct request *r, const char *body)
{
	struct uri uri;
	struct err e;
	struct http_call call = {
	    .post = body != NULL,
	    .head = r->conf.mode == REQUEST_HEAD,
	    .uri = &uri,
	    .content_type = body != NULL ? "application/jose+json" : NULL,
	    .body = body,
	    .body_len = body != NULL ? strlen(body) : 0,
	    .accept = r->conf.accept,
	    .fresh = r->stale > 0,
	};
	int64_t now = clock_mono_ms();

	if (!request_uri(r, &uri, &e)) {
		request_fail(r, NULL, &e);
		return;
	}
	if (r->until == 0)
		r->until =
		    r->conf.deadline - now < REQUEST_MS ? r->conf.deadline : now + REQUEST_MS;
	call.timeout_ms = r->until - now;
	if (call.timeout_ms <= 0) {
		request_expired(r);
		return;
	}
	timer_stop(r->timer);
	http_call_start(r->ca->client, &call, request_answered, r, &r->step);
}

static void
request_sign(struct request *r, const char *nonce)
{
	const char *kid = r->conf.mode == REQUEST_SIGNED ? ca_account_url(r->ca) : NULL;
	const struct key *key = r->conf.key != NULL ? r->conf.key : r->ca->key;
	struct err e;
	char *jws;

	r->generation = account_generation(r->ca->account);
	jws = jws_sign(key, kid, nonce, r->url, r->payload, &e);

	if (jws == NULL)
		request_fail(r, NULL, &e);
	else
		request_send(r, jws);
	free(jws);
}

static void
request_nonce(void *arg, const char *nonce, const struct err *e)
{
	struct request *r = arg;

	if (nonce != NULL)
		request_sign(r, nonce);
	else
		request_fail(r, NULL, e);
}

static void
request_granted(void *arg)
{
	struct request *r = arg;
	char *nonce = r->nonce;

	if (!request_is_signed(r)) {
		request_send(r, NULL);
	} else if (nonce != NULL) {
		r->nonce = NULL;
		request_sign(r, nonce);
		free(nonce);
	} else {
		nonces_get(r->ca->nonces, request_nonce, r, &r->step);
	}
}

static void
request_queue(struct request *r)
{
	int64_t left = r->conf.deadline - clock_mono_ms();

	timer_start(r->timer, left > 0 ? left : 0);
	bucket_take(r->ca->bucket, r->conf.poll ? BUCKET_POLL : BUCKET_REQUEST, request_granted, r,
	    &r->step);
}

/* ---- start ---- */

void
request_start(struct ca *ca, const struct request_conf *conf, request_done_fn *done, void *arg,
    struct op **slot)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->ca = ca;
	r->conf = *conf;
	r->url = conf->url != NULL ? xstrdup(conf->url) : NULL;
	r->payload = conf->payload != NULL ? xstrdup(conf->payload) : NULL;
	r->done = done;
	r->arg = arg;
	r->timer = timer_new(ca->loop, request_timer, r);
	op_begin(&r->op, slot, request_cancel);
	request_queue(r);
}
