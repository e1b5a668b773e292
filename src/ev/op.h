/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One asynchronous operation in flight, and the rules that make cancellation
 * safe:
 *  1. A completion runs at most once, and never before the function that started it has returned (a
 *     failure at once is queued with task_post).
 *  2. The slot is NULL before the completion runs, so that it may start the next operation in it.
 *  3. Who holds the slot owns the operation; its free function cancels its slots. An operation
 * never owns its caller.
 *
 * A concrete operation embeds struct op as its first member.
 */
#pragma once

struct op {
	struct op **slot;
	void (*cancel)(struct op *op); /* stops and frees the operation; no completion */
};

/* Binds op to the caller's slot, which must be empty. */
void op_begin(struct op *op, struct op **slot, void (*cancel)(struct op *op));
/* Empties the slot; called once, directly before the completion. */
void op_end(struct op *op);
/* Afterwards its completion will not run; *slot is NULL; an empty slot is fine. */
void op_cancel(struct op **slot);
