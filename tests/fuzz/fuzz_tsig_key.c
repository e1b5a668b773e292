/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A TSIG key file, whoever wrote it. */
#include "fuzz.h"

#include "dns/tsig_key.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tsig_key key = {.secret_len = SIZE_MAX};
	struct err e;

	err_clear(&e);
	if (tsig_key_parse((const char *)data, size, &key, &e)) {
		must(key.name[0] != '\0' && strlen(key.name) < sizeof(key.name));
		must(key.secret_len > 0 && key.secret_len <= sizeof(key.secret));
		must(tsig_algorithm_name(key.algorithm)[0] == 'h');
	} else {
		must(e.kind == ERR_CONFIG && key.secret_len == SIZE_MAX);
	}
	return 0;
}
