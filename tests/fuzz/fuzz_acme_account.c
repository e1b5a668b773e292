/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/acme_json.h"
#include "codec/json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acme_account_object o;
	struct err e;

	if (acme_account_parse((const char *)data, size, &o, &e)) {
		must(json_is_object(o.body));
		acme_account_object_done(&o);
	} else {
		must(e.kind == ERR_UPSTREAM && e.detail[0] != '\0');
	}
	return 0;
}
