/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A certificate signing request (PKCS #10, RFC 2986) of our own, for a key we have. */
#pragma once

#include "base/err.h"
#include "codec/identifier.h"

struct key;

/* PEM, signed with SHA-256; the subject is empty, the names are subject alternative names (a common
 * name would hold 64 characters at most). Whether a CA takes the names together is csr_parse's to
 * say. The caller frees it. NULL: ERR_INTERNAL. */
char *csr_make(const struct key *key, const struct identifiers *names, struct err *e);
