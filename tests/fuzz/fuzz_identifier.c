/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/identifier.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identifier id, again;

	if (!identifier_dns((const char *)data, size, &id, NULL))
		return 0;
	must(strlen(id.value) == size && identifier_base(&id)[0] != '*');
	must(identifier_dns(id.value, size, &again, NULL) && identifier_equal(&id, &again));
	return 0;
}
