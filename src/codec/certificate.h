/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One certificate, decoded. For the files behind codec/chain.h. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "codec/chain.h"
#include "codec/pem.h"

struct x509_st;

/* NULL with ERR_UPSTREAM if the block is not one certificate and nothing else. The caller frees
 * it with X509_free. */
struct x509_st *certificate_decode(const struct pem_block *block, struct err *e);
bool certificate_leaf_info(struct x509_st *cert, struct leaf_info *ret, struct err *e);
