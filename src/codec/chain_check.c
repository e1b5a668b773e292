/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a chain is what was ordered. Part of codec/chain.h. */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "codec/chain.h"
#include "codec/issuers.h"
#include "codec/openssl.h"
#include "codec/pem.h"

static bool
check_link(X509 *cert, X509 *issuer, int position, struct err *e)
{
	EVP_PKEY *pkey = X509_get0_pubkey(issuer);
	int reason = X509_check_issued(issuer, cert);

	if (reason != X509_V_OK)
		return err_set(e, ERR_UPSTREAM,
		    "certificate %d of the chain is not issued by the next: %s", position,
		    X509_verify_cert_error_string(reason));
	ERR_clear_error();
	if (pkey == NULL || X509_verify(cert, pkey) != 1)
		return openssl_error(e, ERR_UPSTREAM,
		    "the signature of certificate %d of the chain is not that of the next",
		    position);
	return true;
}

/* The leaf comes first, and is decoded already. */
static X509 *
take_cert(const struct chain *c, struct issuers *issuers, int position,
    const struct pem_block *block, struct err *e)
{
	if (position > 0)
		return issuers_get(issuers, block, e);
	if (X509_up_ref(c->cert) != 1)
		abort();
	return c->cert;
}

static bool
check_links(const struct chain *c, struct issuers *issuers, struct err *e)
{
	struct pem_reader reader;
	struct pem_block block;
	X509 *before = NULL, *cert = NULL;
	bool good = true;

	pem_open(&reader, c->pem, c->pem_len);
	for (int i = 0; good && pem_next(&reader, &block) == PEM_BLOCK; i++) {
		cert = take_cert(c, issuers, i, &block, e);
		pem_block_done(&block);
		good = cert != NULL && (before == NULL || check_link(before, cert, i, e));
		X509_free(before);
		before = cert;
	}
	X509_free(before);
	pem_close(&reader);
	return good;
}

bool
chain_check(const struct chain *c, const struct csr *csr, struct issuers *issuers, int64_t now,
    bool *ret_early, struct err *e)
{
	char got[256], wanted[256];

	if (memcmp(c->leaf.spki_sha256, csr->spki_sha256, sizeof(csr->spki_sha256)) != 0)
		return err_set(
		    e, ERR_UPSTREAM, "the certificate is for another key than the CSR's");
	if (!identifiers_equal(&c->names, &csr->names))
		return err_set(e, ERR_UPSTREAM, "the certificate is for %s instead of %s",
		    identifiers_text(&c->names, got, sizeof(got)),
		    identifiers_text(&csr->names, wanted, sizeof(wanted)));
	if (c->leaf.not_after <= now)
		return err_set(
		    e, ERR_UPSTREAM, "the certificate has expired already: is the clock right?");
	if (!check_links(c, issuers, e))
		return false;
	*ret_early = c->leaf.not_before > now;
	return true;
}
