/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An error that is kept. A slot is NULL as long as there is none and owns its error otherwise: a
 * struct err is a kilobyte, and what waits by the thousand has no room for one that may never come.
 */
#pragma once

#include "base/err.h"

/* Keeps a copy in the place of what was there; e may be what was there. NULL or an e without an
 * error empties the slot. */
void err_slot_set(struct err **slot, const struct err *e);
void err_slot_clear(struct err **slot);
