/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/grounds.h"

#include <stdlib.h>

#include "acme/ca.h"
#include "base/alloc.h"
#include "challenge/challenge.h"
#include "ev/loop.h"
#include "issue/desk.h"
#include "issue/store.h"

struct grounds *
grounds_new(struct loop *loop, const struct desk_conf *conf)
{
	struct grounds *g = xcalloc(1, sizeof(*g));

	g->loop = loop;
	g->holders = 1;
	g->ca = ca_hold(conf->ca);
	g->challenges = xmemdup(conf->challenges, conf->challenge_count * sizeof(*g->challenges));
	g->challenge_count = conf->challenge_count;
	for (size_t i = 0; i < g->challenge_count; i++)
		challenge_hold(g->challenges[i]);
	g->stores = xmemdup(conf->stores, conf->store_count * sizeof(*g->stores));
	g->store_count = conf->store_count;
	for (size_t i = 0; i < g->store_count; i++)
		store_hold(g->stores[i]);
	g->timeout_ms = conf->timeout_ms;
	g->order_timeout_ms = conf->order_timeout_ms;
	return g;
}

struct grounds *
grounds_hold(struct grounds *g)
{
	g->holders++;
	return g;
}

static void
let_go(void *arg)
{
	struct grounds *g = arg;

	for (size_t i = 0; i < g->store_count; i++)
		store_free(g->stores[i]);
	for (size_t i = 0; i < g->challenge_count; i++)
		challenge_free(g->challenges[i]);
	ca_free(g->ca);
	free(g->stores);
	free(g->challenges);
	free(g);
}

/* What ends now may have a callback of one of them below it on the stack, or be freed after this
 * turn itself. */
void
grounds_release(struct grounds *g)
{
	if (--g->holders == 0)
		loop_dispose(g->loop, let_go, g);
}
