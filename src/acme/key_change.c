/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/key_change.h"

#include <stdlib.h>
#include <string.h>

#include "acme/account_json.h"
#include "acme/account_lock.h"
#include "acme/account_private.h"
#include "acme/ca_private.h"
#include "acme/key_file.h"
#include "acme/request.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file_lock.h"
#include "ev/op.h"
#include "ev/timer.h"

enum {
	LOCK_LOOK_MS = 100,
	FIND_OUT_MS = 60 * 1000, /* beyond the deadline: it is worth knowing */
};

struct key_change {
	struct op op;
	struct ca *ca;
	struct key *key;
	int64_t deadline;
	acme_key_change_done_fn *done;
	void *arg;
	int lock;
	struct op *step; /* account or request */
	struct timer
	    *timer; /* the next try of the lock; the deadline while waiting for the account */
	struct err failed; /* why it is not known which key the CA has */
};

static void
change_free(void *ptr)
{
	struct key_change *c = ptr;

	timer_free(c->timer);
	key_free(c->key);
	free(c);
}

static void
change_leave(struct key_change *c)
{
	op_cancel(&c->step);
	timer_stop(c->timer);
	file_unlock(&c->lock);
}

static void
change_cancel(struct op *op)
{
	struct key_change *c = (struct key_change *)op;

	change_leave(c);
	loop_dispose(c->ca->loop, change_free, c);
}

/* The only way out but cancellation. */
static void
change_end(struct key_change *c, const struct err *e)
{
	struct loop *loop = c->ca->loop;

	change_leave(c);
	op_end(&c->op);
	c->done(c->arg, e);
	loop_dispose(loop, change_free, c);
}

static void
change_wait_account(struct key_change *c, int64_t ms, account_done_fn *done)
{
	timer_start(c->timer, ms);
	account_wait(c->ca->account, done, c, &c->step);
}

/* ---- it failed, or its answer was lost: which key does the CA know? ---- */

static void
change_found_out(void *arg, const struct err *e)
{
	struct key_change *c = arg;

	if (e != NULL && key_file_there(c->ca->conf.dir, KEY_FILE_PENDING)) {
		err_prefix(&c->failed,
		    "whether the CA has the new key is not known yet, it is kept as %s and the CA "
		    "will be asked",
		    KEY_FILE_PENDING);
		change_end(c, &c->failed);
	} else if (strcmp(key_thumbprint(c->key), key_thumbprint(c->ca->key)) == 0) {
		change_end(c, NULL);
	} else {
		change_end(c, &c->failed);
	}
}

static void
change_find_out(struct key_change *c, const struct err *e)
{
	c->failed = *e;
	file_unlock(&c->lock);
	/* Before it serves us the account sees account.pem.new, and does the rest. */
	change_wait_account(c, FIND_OUT_MS, change_found_out);
}

/* ---- keyChange, and a look whether it is so ---- */

static void
change_finish(struct key_change *c)
{
	struct account *a = c->ca->account;
	struct key *key = c->key;

	c->key = NULL;
	account_use_key(a, key);
	account_file_seen(a, ACCOUNT_FILE_KEY);
	account_file_seen(a, ACCOUNT_FILE_PENDING);
	file_unlock(&c->lock);
	account_save_key(a);
	change_end(c, NULL);
}

static void
confirmed(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct key_change *c = arg;
	struct err bad;

	(void)answer;
	if (e != NULL) {
		bad = *e;
		err_prefix(&bad, "%s answered that the key is changed, but", c->ca->host);
		change_find_out(c, &bad);
	} else if (!key_file_finish(c->ca->conf.dir, &bad)) {
		change_find_out(c, &bad);
	} else {
		change_finish(c);
	}
}

/* A proxy on the way says 200 for reasons of its own, and the old key would be gone. */
static void
change_confirm(struct key_change *c)
{
	char *payload = account_lookup_payload();
	struct request_conf conf = {
	    .mode = REQUEST_SIGNED_JWK,
	    .place = PLACE_ACCOUNT,
	    .url = c->ca->directory.object.new_account,
	    .payload = payload,
	    .key = c->key,
	    .deadline = c->deadline,
	};

	request_start(c->ca, &conf, confirmed, c, &c->step);
	free(payload);
}

static void
changed(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct key_change *c = arg;

	(void)answer;
	if (e != NULL)
		change_find_out(c, e);
	else
		change_confirm(c);
}

static void
change_send(struct key_change *c)
{
	struct err e;
	struct request_conf conf = {
	    .mode = REQUEST_SIGNED,
	    .place = PLACE_ACCOUNT,
	    .url = c->ca->directory.object.key_change,
	    .deadline = c->deadline,
	};
	char *inner = account_key_change_payload(
	    c->ca->key, c->key, account_url(c->ca->account), conf.url, &e);

	conf.payload = inner;
	if (inner == NULL)
		change_find_out(c, &e);
	else
		request_start(c->ca, &conf, changed, c, &c->step);
	free(inner);
}

/* ---- what comes before: the account, the lock, the file ---- */

static bool
change_write(struct key_change *c, struct err *e)
{
	const char *dir = c->ca->conf.dir;

	if (c->ca->directory.object.key_change == NULL)
		return err_set(e, ERR_ACCOUNT, "%s offers no change of keys", c->ca->host);
	if (account_files_changed(c->ca->account))
		return err_set(
		    e, ERR_BUSY, "another program has just changed the account; try again");
	return key_file_write(dir, KEY_FILE_PENDING, c->key, e);
}

static void
change_lock(struct key_change *c)
{
	struct err e;

	if (account_lock(c->ca->conf.dir, &c->lock, &e)) {
		timer_stop(c->timer);
		if (change_write(c, &e))
			change_send(c);
		else
			change_end(c, &e);
	} else if (e.kind == ERR_BUSY && clock_mono_ms() < c->deadline) {
		timer_start(c->timer, LOCK_LOOK_MS);
	} else {
		change_end(c, &e);
	}
}

static void
change_account_ready(void *arg, const struct err *e)
{
	struct key_change *c = arg;

	if (e != NULL)
		change_end(c, e);
	else
		change_lock(c);
}

static void
change_timer(void *arg)
{
	struct key_change *c = arg;
	struct err e;

	if (c->step == NULL) {
		change_lock(c);
		return;
	}
	op_cancel(&c->step);
	err_set(&e, ERR_TIMEOUT, "the account at %s is not ready in time", c->ca->host);
	if (c->failed.kind != ERR_NONE)
		change_found_out(c, &e);
	else
		change_end(c, &e);
}

void
acme_key_change_start(struct ca *ca, struct key *key, int64_t deadline,
    acme_key_change_done_fn *done, void *arg, struct op **slot)
{
	struct key_change *c = xcalloc(1, sizeof(*c));

	c->ca = ca;
	c->key = key;
	c->deadline = deadline;
	c->done = done;
	c->arg = arg;
	c->lock = -1;
	c->timer = timer_new(ca->loop, change_timer, c);
	op_begin(&c->op, slot, change_cancel);
	change_wait_account(c, deadline - clock_mono_ms(), change_account_ready);
}
