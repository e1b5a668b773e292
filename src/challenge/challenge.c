/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/challenge.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "challenge/challenges_private.h"
#include "challenge/dns01_challtestsrv.h"
#include "challenge/dns01_server.h"
#include "challenge/dns01_update.h"
#include "challenge/http01.h"

static const struct challenge_kind *const kinds[] = {
    [CHALLENGE_HTTP01] = &challenge_http01,
    [CHALLENGE_DNS01_UPDATE] = &challenge_dns01_update,
    [CHALLENGE_DNS01_SERVER] = &challenge_dns01_server,
    [CHALLENGE_DNS01_CHALLTESTSRV] = &challenge_dns01_challtestsrv,
};
static_assert(sizeof(kinds) / sizeof(kinds[0]) == CHALLENGE_TYPE_COUNT, "a kind for each type");

const char *
challenge_type_name(enum challenge_type type)
{
	return kinds[type]->config_name;
}

struct challenge *
challenge_new(struct challenges *all, const struct challenge_conf *conf, struct err *e)
{
	return kinds[conf->type]->new (all, conf, e);
}

struct challenge *
challenge_hold(struct challenge *c)
{
	c->holders++;
	return c;
}

/* Older ones may have its listeners too, and be waiting for the CA still. */
static void
end(void *arg)
{
	struct challenge *c = arg;
	struct challenges *all = c->all;

	c->kind->free(c);
	challenges_serve_idle(all);
}

static void
end_if_idle(struct challenge *c)
{
	if (c->unheld && c->active == 0)
		task_post(c->loop, &c->end_task, end, c);
}

void
challenge_free(struct challenge *c)
{
	if (c == NULL)
		return;
	if (c->holders > 0) {
		c->holders--;
		return;
	}
	c->unheld = true;
	end_if_idle(c);
}

bool
challenge_serve(struct challenge *c, bool take, struct err *e)
{
	return c->kind->serve == NULL || c->kind->serve(c, take, e);
}

void
challenge_rename(struct challenge *c, const char *name)
{
	char *copy = xstrdup(name);

	free(c->name);
	c->name = copy;
}

struct acme_solver *
challenge_solver(struct challenge *c)
{
	return &c->solver;
}

/* ---- the common head ---- */

void
challenge_head_init(struct challenge *c, struct challenges *all, const struct challenge_kind *kind,
    const struct challenge_conf *conf)
{
	c->kind = kind;
	c->all = all;
	c->loop = all->loop;
	c->name = xstrdup(conf->name);
	TAILQ_INSERT_TAIL(&all->list, c, entry);
	c->stats = &all->stats[conf->type];
}

void
challenge_head_done(struct challenge *c)
{
	TAILQ_REMOVE(&c->all->list, c, entry);
	c->all->active -= c->active;
	task_cancel(&c->end_task);
	free(c->name);
}

void
challenge_warn(const struct challenge *c, const char *text)
{
	if (c->all->warn != NULL)
		c->all->warn(c->all->warn_arg, c->name, text);
}

void
challenge_begin(struct challenge *c)
{
	c->active++;
	c->all->active++;
	c->stats->presented++;
}

void
challenge_end(struct challenge *c)
{
	assert(c->active > 0);
	c->active--;
	c->all->active--;
	challenges_ended(c->all);
	end_if_idle(c);
}
