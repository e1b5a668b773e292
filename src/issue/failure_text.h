/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a client is told of a failure: one line that names what was asked for,
 * says why there is no certificate, and what to do. The log has the bare reason,
 * with the names beside it.
 */
#pragma once

#include "base/err.h"

/* Puts the names in front, unless the text has one of them already, and what to do behind. names:
 * as identifiers_text writes them; "" if they are not known. Kind, problem and retry_after stay. */
void failure_text(struct err *e, const char *names);
