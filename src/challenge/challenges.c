/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/challenges.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "challenge/challenges_private.h"
#include "challenge/tokens.h"
#include "dns/responder_records.h"

struct challenges *
challenges_new(
    struct loop *loop, void (*warn)(void *arg, const char *block, const char *text), void *arg)
{
	struct challenges *all = xcalloc(1, sizeof(*all));

	all->loop = loop;
	all->warn = warn;
	all->warn_arg = arg;
	all->tokens = tokens_new(loop);
	all->records = responder_records_new();
	TAILQ_INIT(&all->list);
	return all;
}

void
challenges_free(struct challenges *all)
{
	struct challenge *c;

	if (all == NULL)
		return;
	while ((c = TAILQ_FIRST(&all->list)) != NULL)
		c->kind->free(c);
	task_cancel(&all->idle_task);
	tokens_free(all->tokens);
	responder_records_free(all->records);
	free(all);
}

const struct challenge_stats *
challenges_stats(const struct challenges *all)
{
	return all->stats;
}

const struct http_server_stats *
challenges_http_stats(const struct challenges *all)
{
	return &all->http_stats;
}

struct http_server_stats *
challenges_count_http(struct challenges *all)
{
	return &all->http_stats;
}

size_t
challenges_active(const struct challenges *all)
{
	return all->active;
}

static void
report_idle(void *arg)
{
	struct challenges *all = arg;
	void (*idle)(void *arg) = all->idle;

	/* Something was presented again meanwhile: then wait for that too. */
	if (all->active > 0 || idle == NULL)
		return;
	all->idle = NULL;
	idle(all->idle_arg);
}

void
challenges_ended(struct challenges *all)
{
	if (all->active == 0 && all->idle != NULL)
		task_post(all->loop, &all->idle_task, report_idle, all);
}

void
challenges_on_idle(struct challenges *all, void (*idle)(void *arg), void *arg)
{
	all->idle = idle;
	all->idle_arg = arg;
	if (all->active == 0)
		task_post(all->loop, &all->idle_task, report_idle, all);
}

/* What fails here is tried again with the next one that ends; a listener served before. */
void
challenges_serve_idle(struct challenges *all)
{
	struct challenge *c;
	struct err e;

	TAILQ_FOREACH (c, &all->list, entry)
		if (!challenge_serve(c, false, &e))
			challenge_warn(c, e.detail);
}

struct tokens *
challenges_tokens(struct challenges *all)
{
	return all->tokens;
}

struct responder_records *
challenges_records(struct challenges *all)
{
	return all->records;
}

struct loop *
challenges_loop(const struct challenges *all)
{
	return all->loop;
}
