/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/op.h"

#include <assert.h>
#include <stddef.h>

void
op_begin(struct op *op, struct op **slot, void (*cancel)(struct op *op))
{
	assert(*slot == NULL);
	op->slot = slot;
	op->cancel = cancel;
	*slot = op;
}

void
op_end(struct op *op)
{
	assert(op->slot != NULL && *op->slot == op);
	*op->slot = NULL;
	op->slot = NULL;
}

void
op_cancel(struct op **slot)
{
	struct op *op = *slot;

	if (op == NULL)
		return;
	op_end(op);
	op->cancel(op);
}
