/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A certificate chain as a CA delivers it: normalised once, checked against the CSR. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/csr.h"
#include "codec/identifier.h"

enum {
	SERIAL_HEX = 2 * 20 + 3,
	ISSUER_MAX = 128,
	CHAIN_MAX_CERTS = 10,
	CHAIN_MAX_BYTES = 128 * 1024
};

/* What is known of a leaf: all that serving from the cache needs, so that a hit parses nothing. */
struct leaf_info {
	int64_t not_before; /* seconds since 1970 */
	int64_t not_after;
	char serial[SERIAL_HEX]; /* upper-case hex */
	char issuer[ISSUER_MAX]; /* common name of the issuer, or "" */
	uint8_t spki_sha256[32];
};

struct issuers;
struct x509_st;

struct chain {
	char *pem; /* owned, NUL-terminated: leaf first, one blank line between, one newline at the
		      end */
	size_t pem_len;
	struct x509_st *cert; /* the leaf, decoded; owned */
	struct leaf_info leaf;
	struct identifiers names; /* of the leaf's SAN */
};

/* Tolerates CRLF, no final newline, text between blocks. Parses the leaf only; the other blocks are
 * checked for form. ERR_UPSTREAM. */
struct chain *chain_parse(const char *pem, size_t len, struct err *e);
void chain_free(struct chain *c);
/* Whether both have the same leaf, byte by byte. */
bool chain_same_leaf(const struct chain *a, const struct chain *b);
/* The leaf as DER; the caller frees it. */
uint8_t *chain_leaf_der(const struct chain *c, size_t *ret_len);
/* Leaf key = CSR key, names = those asked for (and no others), not_after after
 * now, each certificate signed by the next; those above the leaf are looked up in issuers and
 * kept there. ERR_UPSTREAM. *ret_early: not_before lies in the future. */
bool chain_check(const struct chain *c, const struct csr *csr, struct issuers *issuers, int64_t now,
    bool *ret_early, struct err *e);
/* Leaf of any PEM file (storage): fills ret without the names. */
bool chain_leaf_info(const char *pem, size_t len, struct leaf_info *ret, struct err *e);
