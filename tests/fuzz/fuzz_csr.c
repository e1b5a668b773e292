/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/csr.h"
#include "wrap.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len;
	CLEANUP_FREE char *pem = wrap_der("CERTIFICATE REQUEST", data, size, &len);
	struct identifier again;
	struct csr *csr;
	struct err e;

	csr = csr_parse(pem, len, &e);
	if (csr == NULL) {
		must(e.kind == ERR_BAD_CSR && e.detail[0] != '\0');
		return 0;
	}
	must(csr->names.count >= 1 && csr->names.count <= IDENTIFIERS_MAX && csr->der_len > 0);
	for (size_t i = 0; i < csr->names.count; i++) {
		const struct identifier *id = &csr->names.items[i];

		if (id->kind == IDENTIFIER_DNS)
			must(identifier_dns(id->value, strlen(id->value), &again, NULL) &&
			    identifier_equal(id, &again));
	}
	csr_free(csr);
	return 0;
}
