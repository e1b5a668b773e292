/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/acme_json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acme_order_object o;
	struct err e;

	for (int https = 0; https < 2; https++) {
		if (!acme_order_parse((const char *)data, size, https, &o, &e)) {
			must(e.kind == ERR_UPSTREAM && e.detail[0] != '\0');
			continue;
		}
		must(o.authorization_count <= IDENTIFIERS_MAX);
		must(o.finalize != NULL ||
		    (o.status != ACME_STATUS_PENDING && o.status != ACME_STATUS_READY));
		acme_order_object_done(&o);
	}
	return 0;
}
