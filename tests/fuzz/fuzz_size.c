/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/size.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = as_text(data, size);
	size_t value;

	if (size_parse(text, &value))
		must(value <= (UINT64_C(2) << 40));
	return 0;
}
