/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err_slot.h"

#include <stdlib.h>

#include "base/alloc.h"

void
err_slot_set(struct err **slot, const struct err *e)
{
	if (e == NULL || e->kind == ERR_NONE) {
		err_slot_clear(slot);
		return;
	}
	if (*slot == NULL)
		*slot = xmalloc(sizeof(**slot));
	if (*slot != e)
		**slot = *e;
}

void
err_slot_clear(struct err **slot)
{
	free(*slot);
	*slot = NULL;
}
