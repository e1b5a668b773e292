/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_solver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ev/op.h"
#include "ev/timer.h"

struct fake_present {
	struct op op; /* while it is being made present */
	struct fake_present *next;
	struct fake_solver *solver;
	struct timer *timer;
	char *token;
	char *key_authorization;
	bool there;
	acme_presented_fn *done;
	acme_fetched_fn *fetched;
	void *arg;
};

static const struct challenge_kind kind = {
    .config_name = "fake",
    .wildcards = true,
    .ip = true,
};

static void
present_free(struct fake_present *p)
{
	struct fake_present **at = &p->solver->first;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	timer_free(p->timer);
	free(p->token);
	free(p->key_authorization);
	free(p);
}

static void
present_cancel(struct op *op)
{
	struct fake_present *p = (struct fake_present *)op;

	p->solver->cancelled++;
	present_free(p);
}

static void
present_timer(void *arg)
{
	struct fake_present *p = arg;
	struct fake_solver *s = p->solver;
	acme_presented_fn *done = p->done;
	void *done_arg = p->arg;
	struct err e = s->fail;

	op_end(&p->op);
	if (e.kind == ERR_NONE) {
		p->there = true;
		s->presented++;
	} else {
		present_free(p);
	}
	done(done_arg, e.kind == ERR_NONE ? NULL : &e);
}

static void
present(struct acme_solver *solver, const struct acme_answer *answer, acme_presented_fn *done,
    acme_fetched_fn *fetched, void *arg, struct op **slot)
{
	struct fake_solver *s = (struct fake_solver *)solver;
	struct fake_present *p = xcalloc(1, sizeof(*p));
	int64_t delay_ms = s->delay_ms;

	p->solver = s;
	p->token = xstrdup(answer->token);
	p->key_authorization = xstrdup(answer->key_authorization);
	p->done = done;
	p->fetched = fetched;
	p->arg = arg;
	p->next = s->first;
	s->first = p;
	p->timer = timer_new(s->loop, present_timer, p);
	for (const struct fake_present *before = p->next; before != NULL; before = before->next)
		delay_ms += s->delay_more_ms;
	timer_start(p->timer, delay_ms);
	op_begin(&p->op, slot, present_cancel);
}

static void
withdraw(struct acme_solver *solver, const struct acme_answer *answer, void *arg)
{
	struct fake_solver *s = (struct fake_solver *)solver;
	struct fake_present *p = s->first;

	while (p != NULL && (p->arg != arg || strcmp(p->token, answer->token) != 0))
		p = p->next;
	/* Withdrawing what is not there is a fault of the caller. */
	assert(p != NULL && p->there);
	assert(strcmp(p->key_authorization, answer->key_authorization) == 0);
	s->withdrawn++;
	present_free(p);
}

void
fake_solver_init(struct fake_solver *s, struct loop *loop, const char *type)
{
	memset(s, 0, sizeof(*s));
	s->challenge.kind = &kind;
	s->challenge.name = xstrdup("fake");
	s->solver = (struct acme_solver){.type = type, .present = present, .withdraw = withdraw};
	s->loop = loop;
}

void
fake_solver_done(struct fake_solver *s)
{
	while (s->first != NULL)
		present_free(s->first);
	free(s->challenge.name);
}

size_t
fake_solver_active(const struct fake_solver *s)
{
	size_t n = 0;

	for (const struct fake_present *p = s->first; p != NULL; p = p->next)
		n++;
	return n;
}

const char *
fake_solver_fetch(struct fake_solver *s, const char *token)
{
	struct fake_present *p = s->first;

	while (p != NULL && (!p->there || strcmp(p->token, token) != 0))
		p = p->next;
	if (p == NULL)
		return NULL;
	s->fetched++;
	p->fetched(p->arg);
	return p->key_authorization;
}
