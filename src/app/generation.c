/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/generation.h"

#include <stdlib.h>
#include <string.h>

#include "acme/ca.h"
#include "app/ca_events.h"
#include "app/conf.h"
#include "app/conf_same.h"
#include "base/alloc.h"
#include "base/log.h"
#include "challenge/challenge.h"
#include "ev/listener.h"
#include "issue/policy.h"
#include "issue/store.h"

/* ---- what is carried over ---- */

/* Of n blocks the one that is the same as ours and that nobody has yet; if there are several, the
 * one with our name. n if there is none. */
static size_t
choose(size_t n, const bool *same, void *const *taken, const char *const *names, const char *name)
{
	size_t found = n;

	for (size_t i = 0; i < n; i++)
		if (same[i] && taken[i] == NULL && (found == n || strcmp(names[i], name) == 0))
			found = i;
	return found;
}

/* Which of the old blocks each of the new ones is. */
struct match {
	size_t count; /* of the old ones */
	bool *same;
	void **taken;
	const char **names;
};

static struct match
match_new(size_t count)
{
	return (struct match){
	    .count = count,
	    .same = xcalloc(count + 1, sizeof(bool)),
	    .taken = xcalloc(count + 1, sizeof(void *)),
	    .names = xcalloc(count + 1, sizeof(char *)),
	};
}

static void
match_done(struct match *m)
{
	free(m->same);
	free(m->taken);
	free(m->names);
}

/* NULL: there is none. */
static struct challenge *
carried_challenge(struct match *m, const struct generation *old, const struct conf *conf, size_t i)
{
	size_t found;

	for (size_t k = 0; k < m->count; k++) {
		m->same[k] = conf_same_verification(old->conf, k, conf, i);
		m->names[k] = old->conf->verifications[k].name;
	}
	found = choose(m->count, m->same, m->taken, m->names, conf->verifications[i].name);
	if (found == m->count)
		return NULL;
	m->taken[found] = old->challenges[found];
	return challenge_hold(old->challenges[found]);
}

static struct store *
carried_store(struct match *m, const struct generation *old, const struct conf *conf, size_t i)
{
	size_t found;

	for (size_t k = 0; k < m->count; k++) {
		m->same[k] = conf_same_storage(old->conf, k, conf, i);
		m->names[k] = old->conf->storages[k].name;
	}
	found = choose(m->count, m->same, m->taken, m->names, conf->storages[i].name);
	if (found == m->count)
		return NULL;
	m->taken[found] = old->stores[found];
	return store_hold(old->stores[found]);
}

/* ---- the steps, those that leave nothing behind first ---- */

struct building {
	const struct generation_common *common;
	const struct generation *old; /* or NULL */
	struct generation *new;
};

static bool
build_listeners(struct building *b, struct err *e)
{
	struct generation *g = b->new;
	const struct conf *c = g->conf;

	if (!listeners_open(&g->mgmt, b->common->loop, c->mgmt.listeners, c->mgmt.listener_count,
		c->mgmt.default_listeners, e))
		return err_prefix(e, "[mgmt] listener");
	if (!listeners_open(&g->status, b->common->loop, c->status_listeners,
		c->status_listener_count, false, e))
		return err_prefix(e, "[status] listener");
	return true;
}

static bool
build_challenges(struct building *b, struct err *e)
{
	struct generation *g = b->new;
	size_t n = g->conf->verification_count;
	struct match m = match_new(b->old == NULL ? 0 : b->old->conf->verification_count);
	bool ok = true;

	g->challenges = xcalloc(n + 1, sizeof(struct challenge *));
	for (size_t i = 0; ok && i < n; i++) {
		struct challenge_conf conf = g->conf->verifications[i];

		conf.http = b->common->http;
		if (b->old != NULL)
			g->challenges[i] = carried_challenge(&m, b->old, g->conf, i);
		if (g->challenges[i] == NULL)
			g->challenges[i] = challenge_new(b->common->challenges, &conf, e);
		ok = g->challenges[i] != NULL || err_prefix(e, "[verification \"%s\"]", conf.name);
	}
	match_done(&m);
	return ok;
}

static void
store_warns(void *arg, const char *store, const char *text)
{
	log_warning(NULL, "%s: %s", store, text);
}

static struct store *
make_store(struct loop *loop, const struct storage_conf *conf, struct err *e)
{
	struct store_file_conf file = conf->file;

	file.warn = store_warns;
	return conf->type == STORE_NONE
	    ? store_none_new(conf->name)
	    : store_file_new(loop, conf->name, &file, conf->renew_within_s, e);
}

static bool
build_stores(struct building *b, struct err *e)
{
	struct generation *g = b->new;
	size_t n = g->conf->storage_count;
	struct match m = match_new(b->old == NULL ? 0 : b->old->conf->storage_count);
	bool ok = true;

	g->stores = xcalloc(n + 1, sizeof(struct store *));
	for (size_t i = 0; ok && i < n; i++) {
		const struct storage_conf *conf = &g->conf->storages[i];

		if (b->old != NULL)
			g->stores[i] = carried_store(&m, b->old, g->conf, i);
		if (g->stores[i] == NULL)
			g->stores[i] = make_store(b->common->loop, conf, e);
		ok = g->stores[i] != NULL || err_prefix(e, "[storage \"%s\"]", conf->name);
	}
	match_done(&m);
	return ok;
}

static bool
build_policy(struct building *b, struct err *e)
{
	(void)e;
	b->new->policy = policy_new(b->new->conf->auths, b->new->conf->auth_count);
	return true;
}

static bool
build_ca(struct building *b, struct err *e)
{
	struct generation *g = b->new;
	struct ca_conf conf = g->conf->ca;

	conf.event = ca_events_log;
	conf.stats = b->common->ca_stats;
	if (b->old != NULL && conf_same_account(b->old->conf, g->conf))
		g->ca = ca_hold(b->old->ca);
	else
		g->ca = ca_new(b->common->loop, b->common->http, &conf, e);
	return g->ca != NULL;
}

static bool (*const steps[])(struct building *b, struct err *e) = {
    build_listeners,
    build_challenges,
    build_policy,
    build_stores,
    build_ca,
};

struct generation *
generation_new(const struct generation_common *common, struct conf *conf,
    const struct generation *old, struct err *e)
{
	struct generation *g = xcalloc(1, sizeof(*g));
	struct building b = {common, old, g};
	bool ok = true;

	g->conf = conf;
	for (size_t i = 0; ok && i < sizeof(steps) / sizeof(steps[0]); i++)
		ok = steps[i](&b, e);
	if (ok)
		return g;
	generation_free(g);
	return NULL;
}

void
generation_begin(struct generation *g)
{
	struct err e;

	for (size_t i = 0; i < g->conf->storage_count; i++) {
		const struct storage_conf *s = &g->conf->storages[i];
		store_adjust(g->stores[i], s->name, s->renew_within_s, s->file.keep);
	}
	for (size_t i = 0; i < g->conf->verification_count; i++) {
		const char *name = g->conf->verifications[i].name;
		challenge_rename(g->challenges[i], name);
		if (!challenge_serve(g->challenges[i], true, &e))
			log_error(NULL, "[verification \"%s\"]: %s", name, e.detail);
	}
}

void
generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	listeners_close(&g->status);
	listeners_close(&g->mgmt);
	policy_free(g->policy);
	for (size_t i = 0; g->stores != NULL && i < g->conf->storage_count; i++)
		store_free(g->stores[i]);
	free(g->stores);
	for (size_t i = 0; g->challenges != NULL && i < g->conf->verification_count; i++)
		challenge_free(g->challenges[i]);
	free(g->challenges);
	ca_free(g->ca);
	conf_free(g->conf);
	free(g);
}
