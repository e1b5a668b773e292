/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "endpoint.h"

#include <string.h>

static const char *const names[EP_COUNT + 1] = {
    [EP_DIRECTORY] = "directory",
    [EP_NEW_NONCE] = "new-nonce",
    [EP_NEW_ACCOUNT] = "new-account",
    [EP_ACCOUNT] = "account",
    [EP_NEW_ORDER] = "new-order",
    [EP_ORDER] = "order",
    [EP_AUTHZ] = "authz",
    [EP_CHALLENGE] = "challenge",
    [EP_FINALIZE] = "finalize",
    [EP_CERT] = "cert",
    [EP_REVOKE] = "revoke",
    [EP_KEY_CHANGE] = "key-change",
    [EP_RENEWAL_INFO] = "renewal-info",
    [EP_ORDERS] = "orders",
    [EP_TERMS] = "terms",
    [EP_UNKNOWN] = "unknown",
    [EP_CONNECTION] = "connection",
    [EP_ANY] = "*",
};

const char *
endpoint_name(enum endpoint e)
{
	return names[e];
}

enum endpoint
endpoint_of(const char *name)
{
	enum endpoint e = EP_DIRECTORY;

	while (e <= EP_ANY && strcmp(names[e], name) != 0)
		e++;
	return e;
}
