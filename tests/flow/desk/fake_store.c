/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "ev/op.h"
#include "ev/timer.h"

struct kept {
	char *pem;
	char *directory_url;
	char *profile;
	struct leaf_info leaf;
};

struct fake_op {
	struct op op;
	struct fake_store *store;
	struct timer *timer;
	char key[SHA384_HEX];
	store_get_fn *got;
	store_put_fn *done;
	void *arg;
};

static void
op_free(struct fake_op *o)
{
	timer_free(o->timer);
	free(o);
}

static void
op_cancelled(struct op *op)
{
	op_free((struct fake_op *)op);
}

static struct fake_op *
op_start(struct store *s, void (*fire)(void *arg), int64_t ms, void *arg, struct op **slot)
{
	struct fake_op *o = xcalloc(1, sizeof(*o));

	o->store = (struct fake_store *)s;
	o->arg = arg;
	o->timer = timer_new(o->store->loop, fire, o);
	if (ms >= 0)
		timer_start(o->timer, ms);
	op_begin(&o->op, slot, op_cancelled);
	return o;
}

/* ---- get ---- */

static void
get_fire(void *arg)
{
	struct fake_op *o = arg;
	const struct kept *k = map_get(o->store->entries, o->key, strlen(o->key));
	struct store_entry entry = {.key = o->key, .has_meta = true};
	struct err e = o->store->get_fails;

	if (k != NULL) {
		entry.pem = k->pem;
		entry.pem_len = strlen(k->pem);
		entry.meta.directory_url = k->directory_url;
		entry.meta.profile = k->profile;
		entry.meta.leaf = k->leaf;
	}
	op_end(&o->op);
	if (e.kind != ERR_NONE)
		o->got(o->arg, NULL, &e);
	else
		o->got(o->arg, k == NULL ? NULL : &entry, NULL);
	op_free(o);
}

static void
fake_get(struct store *s, const char *key, store_get_fn *done, void *arg, struct op **slot)
{
	struct fake_store *f = (struct fake_store *)s;
	struct fake_op *o = op_start(s, get_fire, f->get_ms, arg, slot);

	f->gets++;
	o->got = done;
	snprintf(o->key, sizeof(o->key), "%s", key);
}

/* ---- put ---- */

static void
kept_free(struct kept *k)
{
	if (k == NULL)
		return;
	free(k->pem);
	free(k->directory_url);
	free(k->profile);
	free(k);
}

static void
put_fire(void *arg)
{
	struct fake_op *o = arg;
	struct err e = o->store->put_fails;

	op_end(&o->op);
	o->done(o->arg, e.kind == ERR_NONE ? NULL : &e);
	op_free(o);
}

static void
fake_put(
    struct store *s, const struct store_put *put, store_put_fn *done, void *arg, struct op **slot)
{
	struct fake_store *f = (struct fake_store *)s;

	f->puts++;
	op_start(s, put_fire, f->put_ms, arg, slot)->done = done;
	if (f->put_fails.kind != ERR_NONE)
		return;
	struct kept *k = xcalloc(1, sizeof(*k));
	k->pem = xstrndup(put->pem, put->pem_len);
	k->directory_url = xstrdup(put->meta->directory_url);
	k->profile = xstrdup(put->meta->profile == NULL ? "" : put->meta->profile);
	k->leaf = put->meta->leaf;
	assert(put->meta->names->count > 0);
	kept_free(map_put(f->entries, put->key, strlen(put->key), k));
}

/* ---- next, remove, bar ---- */

static void
next_fire(void *arg)
{
	struct fake_op *o = arg;
	const void *found = NULL;
	size_t len;
	const struct kept *k = map_next(o->store->entries, o->key, strlen(o->key), &found, &len);
	char key[SHA384_HEX] = "";
	struct store_entry entry = {.key = key, .has_meta = true};

	if (k != NULL) {
		memcpy(key, found, len);
		entry.pem = k->pem;
		entry.pem_len = strlen(k->pem);
		entry.meta.leaf = k->leaf;
	}
	op_end(&o->op);
	o->got(o->arg, k == NULL ? NULL : &entry, NULL);
	op_free(o);
}

static void
fake_next(struct store *s, const char *cursor, store_get_fn *done, void *arg, struct op **slot)
{
	struct fake_op *o = op_start(s, next_fire, 0, arg, slot);

	o->got = done;
	snprintf(o->key, sizeof(o->key), "%s", cursor);
}

static void
end_with(struct fake_op *o, const struct err *e)
{
	struct err copy = *e;

	op_end(&o->op);
	o->done(o->arg, copy.kind == ERR_NONE ? NULL : &copy);
	op_free(o);
}

static void
remove_fire(void *arg)
{
	struct fake_op *o = arg;

	if (o->store->remove_fails.kind == ERR_NONE)
		kept_free(map_remove(o->store->entries, o->key, strlen(o->key)));
	end_with(o, &o->store->remove_fails);
}

static void
fake_remove(struct store *s, const char *key, store_put_fn *done, void *arg, struct op **slot)
{
	struct fake_op *o = op_start(s, remove_fire, 0, arg, slot);

	((struct fake_store *)s)->removes++;
	o->done = done;
	snprintf(o->key, sizeof(o->key), "%s", key);
}

static void
bar_fire(void *arg)
{
	struct fake_op *o = arg;

	end_with(o, &o->store->bar_fails);
}

static void
fake_bar(
    struct store *s, const uint8_t spki_sha256[32], store_put_fn *done, void *arg, struct op **slot)
{
	struct fake_store *f = (struct fake_store *)s;

	/* First in memory, so that nothing slips through while the disk works. */
	assert(store_bars_key(s, spki_sha256));
	f->bars++;
	op_start(s, bar_fire, f->bar_ms, arg, slot)->done = done;
}

/* ---- the rest ---- */

static void
fake_touch(struct store *s, const char *key, int64_t when, const char *peer)
{
	struct fake_store *f = (struct fake_store *)s;

	f->touches++;
	snprintf(f->last_peer, sizeof(f->last_peer), "%s", peer);
}

static const struct store_kind fake_kind = {
    .config_name = "fake",
    .keeps = true,
    .get = fake_get,
    .put = fake_put,
    .remove = fake_remove,
    .next = fake_next,
    .bar = fake_bar,
    .touch = fake_touch,
};

void
fake_store_init(struct fake_store *s, struct loop *loop, const char *name, int64_t renew_within)
{
	memset(s, 0, sizeof(*s));
	s->base =
	    (struct store){.kind = &fake_kind, .name = xstrdup(name), .renew_within = renew_within};
	s->loop = loop;
	s->entries = map_new();
}

static void
free_each(const void *key, size_t key_len, void *value, void *arg)
{
	kept_free(value);
}

void
fake_store_done(struct fake_store *s)
{
	map_each(s->entries, free_each, NULL);
	map_free(s->entries);
	map_free(s->base.barred);
	free(s->base.name);
}

void
fake_store_set_directory(struct fake_store *s, const char *key, const char *directory_url)
{
	struct kept *k = map_get(s->entries, key, strlen(key));

	assert(k != NULL);
	free(k->directory_url);
	k->directory_url = xstrdup(directory_url);
}

void
fake_store_lose(struct fake_store *s, const char *key)
{
	kept_free(map_remove(s->entries, key, strlen(key)));
}
