/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/present_now.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/err_slot.h"
#include "ev/op.h"

struct present {
	struct op op;
	struct task task;
	struct challenge *challenge;
	struct err *error; /* NULL: presented */
	char *token;
	present_now_undo_fn *undo;
	acme_presented_fn *done;
	void *arg;
};

static void
present_free(struct present *p)
{
	task_cancel(&p->task);
	err_slot_clear(&p->error);
	free(p->token);
	free(p);
}

static void
present_cancel(struct op *op)
{
	struct present *p = (struct present *)op;

	if (p->error == NULL)
		p->undo(p->challenge, p->token, p->arg);
	present_free(p);
}

static void
present_report(void *arg)
{
	struct present *p = arg;

	op_end(&p->op);
	p->done(p->arg, p->error);
	present_free(p);
}

void
present_now(struct challenge *c, const char *token, const struct err *e, present_now_undo_fn *undo,
    acme_presented_fn *done, void *arg, struct op **slot)
{
	struct present *p = xcalloc(1, sizeof(*p));

	p->challenge = c;
	err_slot_set(&p->error, e);
	p->token = xstrdup(token);
	p->undo = undo;
	p->done = done;
	p->arg = arg;
	op_begin(&p->op, slot, present_cancel);
	task_post(c->loop, &p->task, present_report, p);
}
