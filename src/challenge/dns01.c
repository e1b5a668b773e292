/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/dns01.h"

#include <string.h>

#include "base/alloc.h"
#include "codec/b64url.h"
#include "codec/digest.h"

char *
dns01_name(const struct identifier *id)
{
	return xasprintf("_acme-challenge.%s", id->value);
}

char *
dns01_value(const char *key_authorization)
{
	uint8_t digest[32];

	digest_sha256(key_authorization, strlen(key_authorization), digest);
	return b64url_encode(digest, sizeof(digest));
}
