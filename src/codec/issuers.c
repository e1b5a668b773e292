/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/issuers.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "base/alloc.h"
#include "codec/certificate.h"

enum { ISSUERS_KEPT = 8 };

struct issuers {
	struct issuer {
		uint8_t *der;
		size_t der_len;
		X509 *cert;
	} kept[ISSUERS_KEPT];
	size_t oldest;
};

struct issuers *
issuers_new(void)
{
	return xcalloc(1, sizeof(struct issuers));
}

static void
forget(struct issuer *entry)
{
	free(entry->der);
	X509_free(entry->cert);
}

void
issuers_free(struct issuers *i)
{
	if (i == NULL)
		return;
	for (size_t n = 0; n < ISSUERS_KEPT; n++)
		forget(&i->kept[n]);
	free(i);
}

static X509 *
find(const struct issuers *i, const struct pem_block *block)
{
	for (size_t n = 0; n < ISSUERS_KEPT; n++) {
		const struct issuer *entry = &i->kept[n];

		if (entry->der != NULL && entry->der_len == block->der_len &&
		    memcmp(entry->der, block->der, block->der_len) == 0)
			return entry->cert;
	}
	return NULL;
}

static void
keep(struct issuers *i, const struct pem_block *block, X509 *cert)
{
	struct issuer *entry = &i->kept[i->oldest];

	i->oldest = (i->oldest + 1) % ISSUERS_KEPT;
	forget(entry);
	*entry = (struct issuer){
	    .der = xmemdup(block->der, block->der_len),
	    .der_len = block->der_len,
	    .cert = cert,
	};
}

X509 *
issuers_get(struct issuers *i, const struct pem_block *block, struct err *e)
{
	X509 *cert = find(i, block);

	if (cert == NULL) {
		cert = certificate_decode(block, e);
		if (cert == NULL)
			return NULL;
		keep(i, block, cert);
	}
	if (X509_up_ref(cert) != 1)
		abort();
	return cert;
}
