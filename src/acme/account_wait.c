/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Those who wait for the account, and what they are told. */
#include <stdlib.h>

#include "acme/account_private.h"
#include "acme/ca_private.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "ev/op.h"

struct account_waiter {
	struct op op;
	TAILQ_ENTRY(account_waiter) entry;
	struct account *account;
	account_done_fn *done;
	void *arg;
};

bool
account_asleep(const struct account *a)
{
	return a->state == ACCOUNT_BACKOFF || a->state == ACCOUNT_REFUSED;
}

/* While a later attempt runs, the failure before it still counts: nobody waits for a CA that is
 * down. */
static void
account_reason(const struct account *a, struct err *e)
{
	int64_t left = account_asleep(a) ? (a->retry_at - clock_mono_ms() + 999) / 1000 : 0;

	if (e == NULL)
		return;
	*e = a->error;
	e->retry_after = left > 1 ? left : 1;
}

bool
account_usable(const struct account *a, struct err *e)
{
	/* Somebody may have mended it: an order finds out. */
	if (a->failures == 0 || (account_asleep(a) && account_files_changed(a)))
		return true;
	account_reason(a, e);
	return false;
}

/* ---- waiters ---- */

static void
waiter_free(struct account_waiter *w)
{
	TAILQ_REMOVE(&w->account->waiters, w, entry);
	free(w);
}

static void
waiter_cancel(struct op *op)
{
	waiter_free((struct account_waiter *)op);
}

static void
waiter_end(struct account_waiter *w, const struct err *e)
{
	account_done_fn *done = w->done;
	void *arg = w->arg;

	op_end(&w->op);
	waiter_free(w);
	done(arg, e);
}

/* Runs after the turn, so never on top of a move. */
static void
account_serve(void *arg)
{
	struct account *a = arg;
	struct account_waiter *w;
	struct err e;

	if (!TAILQ_EMPTY(&a->waiters))
		account_refresh(a);
	while ((w = TAILQ_FIRST(&a->waiters)) != NULL) {
		if (a->state == ACCOUNT_READY) {
			waiter_end(w, NULL);
		} else if (account_asleep(a)) {
			account_reason(a, &e);
			waiter_end(w, &e);
		} else {
			break;
		}
	}
}

void
account_serve_soon(struct account *a)
{
	task_post(a->ca->loop, &a->task, account_serve, a);
}

void
account_forget_waiters(struct account *a)
{
	struct account_waiter *w;

	task_cancel(&a->task);
	while ((w = TAILQ_FIRST(&a->waiters)) != NULL)
		op_cancel(w->op.slot);
}

void
account_wait(struct account *a, account_done_fn *done, void *arg, struct op **slot)
{
	struct account_waiter *w = xcalloc(1, sizeof(*w));

	w->account = a;
	w->done = done;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&a->waiters, w, entry);
	op_begin(&w->op, slot, waiter_cancel);
	account_serve_soon(a);
}
