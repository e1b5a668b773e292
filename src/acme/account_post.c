/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/account_post.h"

#include <stdlib.h>

#include "acme/account_json.h"
#include "acme/account_private.h"
#include "acme/ca_private.h"
#include "acme/request.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "codec/acme_json.h"
#include "ev/op.h"
#include "ev/timer.h"

struct account_post {
	struct op op;
	struct ca *ca;
	char *payload; /* NULL: a look at it */
	bool anew;     /* newAccount, as if there were none */
	int64_t deadline;
	/* What is to be recorded when it is done. */
	char **contacts;
	size_t contact_count;
	const char *status;
	acme_account_done_fn *done;
	void *arg;
	struct op *step;     /* account or request */
	struct timer *timer; /* the deadline while waiting for the account */
};

static void
post_free(void *ptr)
{
	struct account_post *p = ptr;

	timer_free(p->timer);
	for (size_t i = 0; i < p->contact_count; i++)
		free(p->contacts[i]);
	free(p->contacts);
	free(p->payload);
	free(p);
}

static void
post_cancel(struct op *op)
{
	struct account_post *p = (struct account_post *)op;

	op_cancel(&p->step);
	timer_stop(p->timer);
	loop_dispose(p->ca->loop, post_free, p);
}

/* The only way out but cancellation. */
static void
post_end(struct account_post *p, const struct acme_account_object *object, const struct err *e)
{
	struct loop *loop = p->ca->loop;

	timer_stop(p->timer);
	op_end(&p->op);
	p->done(p->arg, object, e);
	loop_dispose(loop, post_free, p);
}

static void
post_record(struct account_post *p)
{
	struct account *a = p->ca->account;

	if (p->contacts != NULL)
		account_save_contacts(a, p->contacts, p->contact_count);
	if (p->status != NULL)
		account_save_status(a, p->status);
}

static void
posted(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct account_post *p = arg;
	struct acme_account_object object = {0};
	bool parsed;

	if (e != NULL) {
		post_end(p, NULL, e);
		return;
	}
	/* A body that is empty or nonsense takes nothing from the success. */
	parsed = acme_account_parse(answer->body, answer->body_len, &object, NULL);
	post_record(p);
	post_end(p, &object, NULL);
	if (parsed)
		acme_account_object_done(&object);
}

static void
post_account_ready(void *arg, const struct err *e)
{
	struct account_post *p = arg;
	struct request_conf conf = {
	    .mode = p->anew ? REQUEST_SIGNED_JWK : REQUEST_SIGNED,
	    .place = PLACE_ACCOUNT,
	    .url = p->anew ? p->ca->directory.object.new_account : account_url(p->ca->account),
	    .payload = p->payload,
	    .deadline = p->deadline,
	};

	timer_stop(p->timer);
	if (e != NULL)
		post_end(p, NULL, e);
	else
		request_start(p->ca, &conf, posted, p, &p->step);
}

static void
post_expired(void *arg)
{
	struct account_post *p = arg;
	struct err e;

	op_cancel(&p->step);
	err_set(&e, ERR_TIMEOUT, "the account at %s is not ready in time", p->ca->host);
	post_end(p, NULL, &e);
}

/* Takes payload over. */
static struct account_post *
post_start(struct ca *ca, char *payload, int64_t deadline, acme_account_done_fn *done, void *arg,
    struct op **slot)
{
	struct account_post *p = xcalloc(1, sizeof(*p));

	p->ca = ca;
	p->payload = payload;
	p->deadline = deadline;
	p->done = done;
	p->arg = arg;
	p->timer = timer_new(ca->loop, post_expired, p);
	timer_start(p->timer, deadline - clock_mono_ms());
	op_begin(&p->op, slot, post_cancel);
	account_wait(ca->account, post_account_ready, p, &p->step);
	return p;
}

/* ---- the wishes ---- */

void
acme_account_fetch_start(
    struct ca *ca, int64_t deadline, acme_account_done_fn *done, void *arg, struct op **slot)
{
	post_start(ca, NULL, deadline, done, arg, slot);
}

void
acme_account_contacts_start(struct ca *ca, char *const *contacts, size_t count, int64_t deadline,
    acme_account_done_fn *done, void *arg, struct op **slot)
{
	struct account_post *p =
	    post_start(ca, account_contacts_payload(contacts, count), deadline, done, arg, slot);

	p->contacts = xcalloc(count + 1, sizeof(*p->contacts));
	for (p->contact_count = 0; p->contact_count < count; p->contact_count++)
		p->contacts[p->contact_count] = xstrdup(contacts[p->contact_count]);
}

void
acme_account_agree_start(
    struct ca *ca, int64_t deadline, acme_account_done_fn *done, void *arg, struct op **slot)
{
	post_start(ca, account_agree_payload(), deadline, done, arg, slot)->anew = true;
}

void
acme_account_deactivate_start(
    struct ca *ca, int64_t deadline, acme_account_done_fn *done, void *arg, struct op **slot)
{
	post_start(ca, account_deactivate_payload(), deadline, done, arg, slot)->status =
	    "deactivated";
}
