/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names a CSR asks for, and the rules about them. For codec/csr.c. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "codec/identifier.h"

struct X509_req_st;

/* Adds to names, which the caller frees also after an error. *ret_only_in_cn: there was no
 * subject alternative name. ERR_BAD_CSR. */
bool csr_names(
    const struct X509_req_st *req, struct identifiers *names, bool *ret_only_in_cn, struct err *e);
