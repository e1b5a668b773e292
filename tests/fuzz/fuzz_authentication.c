/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/authentication.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct authentication a;
	struct err e;

	if (authentication_parse((const char *)data, size, &a, &e))
		must(a.kind > DIGEST_NONE && a.kind < DIGEST_KIND_COUNT && digest_size(a.kind) > 0);
	else
		must(e.kind == ERR_FORBIDDEN);
	return 0;
}
