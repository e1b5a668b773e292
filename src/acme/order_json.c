/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/order_json.h"

#include <stdlib.h>

#include "codec/b64url.h"
#include "codec/json.h"

static char *
text_of(struct json *object)
{
	char *text = json_text(object, 0);

	json_free(object);
	return text;
}

char *
order_new_payload(const struct identifiers *names, const char *profile, const char *replaces)
{
	struct json *object = json_new_object();
	struct json *array = json_new_array();

	for (size_t i = 0; i < names->count; i++) {
		const struct identifier *name = &names->items[i];
		struct json *item = json_new_object();

		json_set_string(item, "type", name->kind == IDENTIFIER_IP ? "ip" : "dns");
		json_set_string(item, "value", name->value);
		json_add(array, item);
	}
	json_set(object, "identifiers", array);
	if (profile != NULL)
		json_set_string(object, "profile", profile);
	if (replaces != NULL)
		json_set_string(object, "replaces", replaces);
	return text_of(object);
}

char *
order_finalize_payload(const struct csr *csr)
{
	struct json *object = json_new_object();
	char *der = b64url_encode(csr->der, csr->der_len);

	json_set_string(object, "csr", der);
	free(der);
	return text_of(object);
}
