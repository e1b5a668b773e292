/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/acme_json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acme_authorization_object o;
	struct err e;

	for (int https = 0; https < 2; https++) {
		if (!acme_authorization_parse((const char *)data, size, https, &o, &e)) {
			must(e.kind == ERR_UPSTREAM && e.detail[0] != '\0');
			continue;
		}
		for (size_t i = 0; i < o.challenge_count; i++)
			must(o.challenges[i].url != NULL && o.challenges[i].token[0] != '\0' &&
			    o.challenges[i].type[0] != '\0');
		acme_authorization_object_done(&o);
	}
	return 0;
}
