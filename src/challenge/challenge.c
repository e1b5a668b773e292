/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/challenge.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
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
challenge_new(struct loop *loop, const struct challenge_conf *conf, struct err *e)
{
	return kinds[conf->type]->new (loop, conf, e);
}

void
challenge_free(struct challenge *c)
{
	if (c != NULL)
		c->kind->free(c);
}

struct acme_solver *
challenge_solver(struct challenge *c)
{
	return &c->solver;
}

/* ---- the common head ---- */

void
challenge_head_init(struct challenge *c, struct loop *loop, const struct challenge_kind *kind,
    const struct challenge_conf *conf)
{
	c->kind = kind;
	c->loop = loop;
	c->name = xstrdup(conf->name);
}

void
challenge_head_done(struct challenge *c)
{
	task_cancel(&c->idle_task);
	free(c->name);
}

static void
report_idle(void *arg)
{
	struct challenge *c = arg;
	void (*idle)(void *arg) = c->idle;

	/* Something was presented again meanwhile: then wait for that too. */
	if (c->active > 0)
		return;
	c->idle = NULL;
	idle(c->idle_arg);
}

void
challenge_begin(struct challenge *c)
{
	c->active++;
}

void
challenge_end(struct challenge *c)
{
	assert(c->active > 0);
	if (--c->active == 0 && c->idle != NULL)
		task_post(c->loop, &c->idle_task, report_idle, c);
}

void
challenge_on_idle(struct challenge *c, struct loop *loop, void (*idle)(void *arg), void *arg)
{
	c->idle = idle;
	c->idle_arg = arg;
	if (c->active == 0)
		task_post(loop, &c->idle_task, report_idle, c);
}
