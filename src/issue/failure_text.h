/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a client is told of a failure: one line that names what was asked for,
 * says why there is no certificate, or why it is not revoked, and what to do. The log has the bare
 * reason, with the names beside it.
 */
#pragma once

#include "base/err.h"
#include "base/log.h"

enum failure_of { FAILURE_OF_CSR, FAILURE_OF_REVOCATION };

/* Puts the names in front, unless the text has one of them already, and what to do behind. names:
 * as identifiers_text writes them; "" if they are not known. Kind, problem and retry_after stay. */
void failure_text(struct err *e, enum failure_of of, const char *names);

/* Those that an operator has to mend are errors; what the CA's events told need not be told again
 * for every job that runs into it. */
enum log_level failure_log_level(const struct err *e);
