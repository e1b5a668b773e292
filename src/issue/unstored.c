/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/unstored.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"
#include "issue/store.h"

enum {
	AGAIN_MS = 60 * 1000,
	KEEP_MS = 60 * 60 * 1000,
};

/* put and meta point to memory of their own. */
struct waiting {
	TAILQ_ENTRY(waiting) entry;
	struct store *store;
	struct store_put put;
	struct store_meta meta;
	struct identifiers names;
	char *shown;   /* names, for the log */
	int64_t until; /* clock_mono_ms */
};

struct unstored {
	struct loop *loop;
	struct timer *timer;
	struct op *op;              /* a put of the first in the list */
	TAILQ_HEAD(, waiting) list; /* the next to be tried first */
	size_t count;
	size_t bytes;
	size_t max_count;
	size_t max_bytes;
};

static void again(void *arg);

struct unstored *
unstored_new(struct loop *loop, size_t max_count, size_t max_bytes)
{
	struct unstored *u = xcalloc(1, sizeof(*u));

	u->loop = loop;
	u->timer = timer_new(loop, again, u);
	u->max_count = max_count;
	u->max_bytes = max_bytes;
	TAILQ_INIT(&u->list);
	return u;
}

/* ---- copies ---- */

static const char *
copy(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

static size_t
size_of(const struct waiting *w)
{
	return w->put.body_len + w->put.pem_len;
}

static struct waiting *
waiting_new(struct store *store, const struct store_put *put, const char *names)
{
	struct waiting *w = xcalloc(1, sizeof(*w));
	const struct store_meta *m = put->meta;

	w->store = store_hold(store);
	w->until = clock_mono_ms() + KEEP_MS;
	w->shown = xstrdup(names);
	w->put = *put;
	w->put.key = xstrdup(put->key);
	w->put.body = xmemdup(put->body, put->body_len);
	w->put.pem = xmemdup(put->pem, put->pem_len);
	w->put.meta = &w->meta;
	w->meta = *m;
	w->meta.directory_url = copy(m->directory_url);
	w->meta.account_url = copy(m->account_url);
	w->meta.profile = copy(m->profile);
	w->meta.auth_block = copy(m->auth_block);
	w->meta.verification = copy(m->verification);
	w->meta.certificate_url = copy(m->certificate_url);
	w->meta.peer = copy(m->peer);
	identifiers_copy(&w->names, m->names);
	w->meta.names = &w->names;
	return w;
}

static void
waiting_free(void *arg)
{
	struct waiting *w = arg;

	store_free(w->store);
	free((void *)w->put.key);
	free((void *)w->put.body);
	free((void *)w->put.pem);
	free((void *)w->meta.directory_url);
	free((void *)w->meta.account_url);
	free((void *)w->meta.profile);
	free((void *)w->meta.auth_block);
	free((void *)w->meta.verification);
	free((void *)w->meta.certificate_url);
	free((void *)w->meta.peer);
	identifiers_done(&w->names);
	free(w->shown);
	free(w);
}

/* ---- the list ---- */

/* The store goes on with a put that is cancelled. */
static void
take_off(struct unstored *u, struct waiting *w)
{
	if (w == TAILQ_FIRST(&u->list))
		op_cancel(&u->op);
	TAILQ_REMOVE(&u->list, w, entry);
	u->count--;
	u->bytes -= size_of(w);
	/* With it the store may go, one of whose callbacks this may be. */
	loop_dispose(u->loop, waiting_free, w);
	if (u->count == 0)
		timer_stop(u->timer);
}

void
unstored_free(struct unstored *u)
{
	if (u == NULL)
		return;
	while (!TAILQ_EMPTY(&u->list))
		take_off(u, TAILQ_FIRST(&u->list));
	timer_free(u->timer);
	free(u);
}

static void
give_up(struct unstored *u, struct waiting *w)
{
	log_warning(&(struct log_context){.names = w->shown},
	    "the certificate %s is not in storage \"%s\", and will not be", w->meta.leaf.serial,
	    w->store->name);
	take_off(u, w);
}

void
unstored_forget(struct unstored *u, const struct store *store, const char *key)
{
	struct waiting *w, *next;

	TAILQ_FOREACH_SAFE (w, &u->list, entry, next)
		if (w->store == store && strcmp(w->put.key, key) == 0)
			take_off(u, w);
}

void
unstored_drop(struct unstored *u,
    bool (*match)(void *arg, struct store *store, const char *key, const struct leaf_info *leaf),
    void *arg)
{
	struct waiting *w, *next;

	TAILQ_FOREACH_SAFE (w, &u->list, entry, next)
		if (match(arg, w->store, w->put.key, &w->meta.leaf))
			take_off(u, w);
}

void
unstored_add(
    struct unstored *u, struct store *store, const struct store_put *put, const char *names)
{
	struct waiting *w = waiting_new(store, put, names);

	unstored_forget(u, store, put->key);
	while (u->count > 0 && (u->count >= u->max_count || u->bytes + size_of(w) > u->max_bytes))
		give_up(u, TAILQ_FIRST(&u->list));
	TAILQ_INSERT_TAIL(&u->list, w, entry);
	u->bytes += size_of(w);
	if (u->count++ == 0)
		timer_start(u->timer, AGAIN_MS);
}

size_t
unstored_count(const struct unstored *u)
{
	return u->count;
}

/* ---- again ---- */

/* One that its store refuses must not keep others from theirs. */
static void
to_the_end(struct unstored *u, struct waiting *w)
{
	TAILQ_REMOVE(&u->list, w, entry);
	TAILQ_INSERT_TAIL(&u->list, w, entry);
}

/* Why not was told at the first time. */
static void
put_done(void *arg, const struct err *e)
{
	struct unstored *u = arg;
	struct waiting *w = TAILQ_FIRST(&u->list);
	struct log_context log = {.names = w->shown};

	if (e != NULL) {
		log_debug(&log, "storage \"%s\" again: %s", w->store->name, e->detail);
		to_the_end(u, w);
		return;
	}
	log_info(&log, "the certificate %s is in storage \"%s\" now", w->meta.leaf.serial,
	    w->store->name);
	take_off(u, w);
	if (u->count > 0)
		timer_start(u->timer, 0);
}

/* Every minute while there are any; that is also the time a store may take. */
static void
again(void *arg)
{
	struct unstored *u = arg;
	struct waiting *w, *next;

	if (u->op != NULL) {
		op_cancel(&u->op);
		to_the_end(u, TAILQ_FIRST(&u->list));
	}
	TAILQ_FOREACH_SAFE (w, &u->list, entry, next)
		if (w->until <= clock_mono_ms())
			give_up(u, w);
	w = TAILQ_FIRST(&u->list);
	if (w == NULL)
		return;
	timer_start(u->timer, AGAIN_MS);
	w->store->kind->put(w->store, &w->put, put_done, u, &u->op);
}
