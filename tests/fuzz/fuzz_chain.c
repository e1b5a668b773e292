/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/chain.h"
#include "codec/issuers.h"
#include "wrap.h"

static void
check(const struct chain *c)
{
	struct chain *again = chain_parse(c->pem, c->pem_len, NULL);
	struct csr csr = {.names = c->names};
	struct issuers *issuers = issuers_new();
	bool early;
	size_t len;

	must(strlen(c->pem) == c->pem_len);
	must(again != NULL && strcmp(again->pem, c->pem) == 0);
	must(chain_same_leaf(again, c));
	CLEANUP_FREE uint8_t *der = chain_leaf_der(c, &len);
	must(len > 0 && der[0] == 0x30);
	must(identifiers_equal(&again->names, &c->names));
	memcpy(csr.spki_sha256, c->leaf.spki_sha256, sizeof(csr.spki_sha256));
	/* The second time they are known. */
	must(chain_check(c, &csr, issuers, 0, &early, NULL) ==
	    chain_check(c, &csr, issuers, 0, &early, NULL));
	issuers_free(issuers);
	chain_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len;
	CLEANUP_FREE char *pem = wrap_der("CERTIFICATE", data, size, &len);
	struct leaf_info info;
	struct chain *c;
	struct err e;

	chain_leaf_info(pem, len, &info, NULL);
	c = chain_parse(pem, len, &e);
	if (c != NULL)
		check(c);
	else
		must(e.kind == ERR_UPSTREAM && e.detail[0] != '\0');
	chain_free(c);
	return 0;
}
