/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificates above the leaves, decoded once: a CA has few of them, and each chain brings them
 * again. Decoding a certificate costs more than checking its signature.
 */
#pragma once

#include "base/err.h"
#include "codec/pem.h"

struct issuers;
struct x509_st;

struct issuers *issuers_new(void);
void issuers_free(struct issuers *i); /* NULL is fine */
/* The certificate of the block, known or decoded; the caller frees it with X509_free. NULL with
 * ERR_UPSTREAM. The few that were new last are kept. */
struct x509_st *issuers_get(struct issuers *i, const struct pem_block *block, struct err *e);
