/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What acme-get reads and writes: the key and the signing request before the order, the pair
 * key.pem and cert.pem after it. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct chain;
struct csr;
struct get_options;
struct key;

struct get_files {
	struct key *key; /* of the certificate; NULL with --csr alone */
	bool made;       /* by us: it is written too */
	struct csr *csr; /* NULL with --revoke-cert */
};

/* Makes the key and the request, or reads what --csr and --key name; and tests that the results can
 * be written, before anybody is asked for anything. *f has to be zeroed. ERR_CONFIG, ERR_BAD_CSR
 * (names no CA takes together), ERR_INTERNAL. What is there already is get_files_done's to free. */
bool get_files_prepare(struct get_files *f, const struct get_options *o, struct err *e);
void get_files_done(struct get_files *f);

/* key.pem (mode 0600, if it was made) and cert.pem, each replaced at once, the key first. *ret_text
 * (to be freed) names them. */
bool get_files_save(const struct get_files *f, const struct get_options *o,
    const struct chain *chain, char **ret_text, struct err *e);

/* The chain in the file of --revoke-cert, of which the first is meant, and the key of --key if it
 * is given. ERR_CONFIG. The caller frees *ret. */
bool get_files_to_revoke(
    struct get_files *f, const struct get_options *o, struct chain **ret, struct err *e);
