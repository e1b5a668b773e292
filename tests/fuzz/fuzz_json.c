/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *root = json_parse((const char *)data, size, NULL), *again;

	if (root == NULL)
		return 0;
	CLEANUP_FREE char *text = json_text(root, 0);
	again = json_parse(text, strlen(text), NULL);
	must(again != NULL);
	CLEANUP_FREE char *text2 = json_text(again, 0);
	must(strcmp(text, text2) == 0);
	json_free(root);
	json_free(again);
	return 0;
}
