/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/acme_json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acme_challenge_object o;
	struct err e;

	for (int https = 0; https < 2; https++) {
		if (!acme_challenge_parse((const char *)data, size, https, &o, &e)) {
			must(e.kind == ERR_UPSTREAM && e.detail[0] != '\0');
			continue;
		}
		acme_challenge_object_done(&o);
	}
	return 0;
}
