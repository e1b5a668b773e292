/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/nonce.h"

#include <stdlib.h>
#include <string.h>

#include "acme/ca_private.h"
#include "acme/request.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/queue.h"
#include "ev/loop.h"
#include "ev/op.h"

/* ---- the pool ---- */

static bool
nonce_ok(const char *nonce)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t n = strnlen(nonce, NONCE_MAX + 1);

	return n > 0 && n <= NONCE_MAX && strspn(nonce, alphabet) == n;
}

bool
nonce_pool_put(struct nonce_pool *pool, const char *nonce)
{
	size_t at;

	if (!nonce_ok(nonce))
		return false;
	if (pool->count == NONCES_KEPT) {
		free(pool->items[pool->first]);
		pool->first = (pool->first + 1) % NONCES_KEPT;
		pool->count--;
	}
	at = (pool->first + pool->count++) % NONCES_KEPT;
	pool->items[at] = xstrdup(nonce);
	return true;
}

char *
nonce_pool_take(struct nonce_pool *pool)
{
	if (pool->count == 0)
		return NULL;
	return pool->items[(pool->first + --pool->count) % NONCES_KEPT];
}

void
nonce_pool_done(struct nonce_pool *pool)
{
	char *nonce;

	while ((nonce = nonce_pool_take(pool)) != NULL)
		free(nonce);
}

/* ---- those who wait, and what is fetched for them ---- */

enum { FETCHES = 4, FETCH_MS = 30 * 1000 };

struct waiter {
	struct op op;
	TAILQ_ENTRY(waiter) entry;
	struct nonces *nonces;
	nonces_done_fn *done;
	void *arg;
};
TAILQ_HEAD(waiters, waiter);

struct fetch {
	struct nonces *nonces;
	struct op *op;
};

struct nonces {
	struct ca *ca;
	struct nonce_pool pool;
	struct waiters waiters;
	struct fetch fetches[FETCHES];
	struct task task;
};

static void nonces_serve(void *arg);

static void
waiter_free(struct waiter *w)
{
	TAILQ_REMOVE(&w->nonces->waiters, w, entry);
	free(w);
}

/* A fetch that hangs must not be what the next one waits for. */
static void
waiter_cancel(struct op *op)
{
	struct waiter *w = (struct waiter *)op;
	struct nonces *n = w->nonces;

	waiter_free(w);
	for (size_t i = 0; i < FETCHES && TAILQ_EMPTY(&n->waiters); i++)
		op_cancel(&n->fetches[i].op);
}

static void
waiter_end(struct waiter *w, const char *nonce, const struct err *e)
{
	nonces_done_fn *done = w->done;
	void *arg = w->arg;

	op_end(&w->op);
	waiter_free(w);
	done(arg, nonce, e);
}

/* The nonce itself was taken out of the answer's header already, by request.c. A failed fetch fails
 * one of those who wait; each of the others has a fetch of its own to come. */
static void
fetch_done(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct fetch *f = arg;
	struct nonces *n = f->nonces;
	struct waiter *w = TAILQ_FIRST(&n->waiters);
	struct err none;

	if (e == NULL && n->pool.count == 0) {
		err_set(&none, ERR_UPSTREAM, "new nonce: %s gave none", n->ca->host);
		e = &none;
	}
	if (e != NULL && w != NULL)
		waiter_end(w, NULL, e);
	if (!TAILQ_EMPTY(&n->waiters))
		task_post(n->ca->loop, &n->task, nonces_serve, n);
}

static void
fetch_start(struct fetch *f)
{
	struct request_conf conf = {
	    .mode = REQUEST_HEAD,
	    .place = PLACE_NONCE,
	    .url = f->nonces->ca->directory.object.new_nonce,
	    .deadline = clock_mono_ms() + FETCH_MS,
	};

	request_start(f->nonces->ca, &conf, fetch_done, f, &f->op);
}

static void
nonces_fetch(struct nonces *n)
{
	size_t wanted = 0;
	size_t running = 0;
	struct waiter *w;

	TAILQ_FOREACH (w, &n->waiters, entry)
		if (++wanted == FETCHES)
			break;
	for (size_t i = 0; i < FETCHES; i++)
		running += n->fetches[i].op != NULL;
	for (size_t i = 0; i < FETCHES && running < wanted; i++) {
		if (n->fetches[i].op != NULL)
			continue;
		fetch_start(&n->fetches[i]);
		running++;
	}
}

static void
nonces_serve(void *arg)
{
	struct nonces *n = arg;
	struct waiter *w;
	char *nonce;

	while ((w = TAILQ_FIRST(&n->waiters)) != NULL) {
		if ((nonce = nonce_pool_take(&n->pool)) == NULL)
			break;
		waiter_end(w, nonce, NULL);
		free(nonce);
	}
	nonces_fetch(n);
}

void
nonces_put(struct nonces *n, const char *nonce)
{
	if (nonce == NULL || !nonce_pool_put(&n->pool, nonce))
		return;
	if (!TAILQ_EMPTY(&n->waiters))
		task_post(n->ca->loop, &n->task, nonces_serve, n);
}

void
nonces_get(struct nonces *n, nonces_done_fn *done, void *arg, struct op **slot)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->nonces = n;
	w->done = done;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&n->waiters, w, entry);
	op_begin(&w->op, slot, waiter_cancel);
	task_post(n->ca->loop, &n->task, nonces_serve, n);
}

struct nonces *
nonces_new(struct ca *ca)
{
	struct nonces *n = xcalloc(1, sizeof(*n));

	n->ca = ca;
	TAILQ_INIT(&n->waiters);
	for (size_t i = 0; i < FETCHES; i++)
		n->fetches[i].nonces = n;
	return n;
}

void
nonces_free(struct nonces *n)
{
	struct waiter *w;

	if (n == NULL)
		return;
	for (size_t i = 0; i < FETCHES; i++)
		op_cancel(&n->fetches[i].op);
	while ((w = TAILQ_FIRST(&n->waiters)) != NULL)
		op_cancel(w->op.slot);
	task_cancel(&n->task);
	nonce_pool_done(&n->pool);
	free(n);
}
