/* SPDX-License-Identifier: GPL-3.0-or-later */
/* External account binding (RFC 8555 7.3.4). */
#pragma once

#include <stdbool.h>

struct call;

/* Checks the binding of a newAccount request; else the answer says what is wrong. */
bool eab_check(struct call *c);
