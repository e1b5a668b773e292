/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Subject alternative names, of requests and of certificates. For codec/csr.c and codec/chain.c. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "codec/identifier.h"

struct stack_st_X509_EXTENSION;

/* Adds the names of the extensions' subjectAltName (absent: none). ERR_BAD_CSR for a second or a
 * broken extension, for any kind other than DNS and IP, and for more than IDENTIFIERS_MAX. */
bool san_collect(
    const struct stack_st_X509_EXTENSION *extensions, struct identifiers *names, struct err *e);
