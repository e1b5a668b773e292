/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSRs as clients make them, and chains as CAs make them. The caller frees the texts. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum fake_csr_flags {
	FAKE_CSR_CN_ONLY = 1, /* the first name as common name, no subject alternative names */
	FAKE_CSR_RSA = 2,
};

/* PEM with a new key. names: "a.example,*.b.example,192.0.2.1". */
char *fake_csr(const char *names, unsigned flags);

enum fake_chain_flags {
	FAKE_CHAIN_OTHER_KEY = 1, /* the leaf is somebody else's */
	FAKE_CHAIN_CRLF = 2,
};

/* PEM: a leaf with the CSR's key and names, valid from an hour ago for that many days by the fake
 * clock, and its issuer. */
char *fake_chain(const void *csr_der, size_t len, int days, unsigned flags);
