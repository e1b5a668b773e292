/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificate signing request of a client, and all that acmems demands of
 * it (acmems(8)). Everything in it is hostile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/identifier.h"

struct csr {
	struct identifiers names; /* 1 to 100 */
	bool names_only_in_cn;    /* no subject alternative name at all */
	uint8_t *der;             /* owned: what finalize sends */
	size_t der_len;
	uint8_t spki_sha256[32]; /* SHA-256 of the DER SubjectPublicKeyInfo */
};

/* ERR_BAD_CSR with one sentence that says what to change. Verifies the self-signature. */
struct csr *csr_parse(const char *body, size_t len, struct err *e);
void csr_free(struct csr *c);
