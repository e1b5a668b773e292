/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/key.h"
#include "wrap.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len;
	CLEANUP_FREE char *pem = wrap_der("PRIVATE KEY", data, size, &len);
	struct err e;
	struct key *k = key_from_pem(pem, len, &e), *again;
	char *text;

	if (k == NULL) {
		must(e.kind == ERR_CONFIG && e.detail[0] != '\0');
		return 0;
	}
	text = key_to_pem(k);
	again = key_from_pem(text, strlen(text), NULL);
	must(again != NULL && strcmp(key_thumbprint(k), key_thumbprint(again)) == 0);
	free_secret(text, strlen(text));
	key_free(k);
	key_free(again);
	return 0;
}
