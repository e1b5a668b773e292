/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http-01 (RFC 8555 8.3): an HTTP server that knows the tokens which are being
 * validated, and nothing else (acmems(8)).
 *
 * Owns its listeners and its server. Presentations of one token are counted;
 * each of them is told that the CA has fetched the answer, after the reply was
 * handed over.
 */
#pragma once

#include "challenge/challenge.h"

extern const struct challenge_kind challenge_http01;
