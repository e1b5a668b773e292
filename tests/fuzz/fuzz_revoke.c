/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is posted to /revoke: the request's target, a newline, the body. */
#include "fuzz.h"

#include "codec/chain.h"
#include "mgmt/revoke.h"
#include "wrap.h"

static void
check_target(const char *target)
{
	enum revoke_reason reason;
	struct err e;

	if (!revoke_read_reason(target, &reason, &e)) {
		must(e.kind == ERR_BAD_REQUEST && e.detail[0] != '\0');
		return;
	}
	must(reason == REVOKE_UNSPECIFIED || reason == REVOKE_KEY_COMPROMISE ||
	    reason == REVOKE_SUPERSEDED || reason == REVOKE_CESSATION);
	must(reason == REVOKE_UNSPECIFIED || strchr(target, '?')[8] == '0' + (int)reason);
}

/* What goes to the CA is the leaf that was posted and nothing else. */
static void
check_body(const uint8_t *data, size_t size)
{
	size_t len, der_len;
	CLEANUP_FREE char *pem = wrap_der("CERTIFICATE", data, size, &len);
	struct chain *posted = chain_parse(pem, len, NULL);

	if (posted == NULL)
		return;
	CLEANUP_FREE uint8_t *der = chain_leaf_der(posted, &der_len);
	CLEANUP_FREE char *sent = wrap_der("CERTIFICATE", der, der_len, &len);
	struct chain *known = chain_parse(sent, len, NULL);
	must(known != NULL && chain_same_leaf(known, posted));
	must(strcmp(known->leaf.serial, posted->leaf.serial) == 0);
	must(identifiers_equal(&known->names, &posted->names));
	chain_free(known);
	chain_free(posted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	size_t len = end != NULL ? (size_t)(end - data) : size;
	CLEANUP_FREE char *target = as_text(data, len);

	check_target(target);
	if (end != NULL)
		check_body(end + 1, size - len - 1);
	return 0;
}
