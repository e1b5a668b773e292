/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all kinds of dns-01 have in common (RFC 8555 8.4): where the TXT record stands, and what is
 * in it. The caller frees both. */
#pragma once

#include "acme/solver.h"

/* "_acme-challenge.NAME", without the last dot. */
char *dns01_name(const struct identifier *id);
/* base64url of the SHA-256 of the key authorization: 43 characters. */
char *dns01_value(const char *key_authorization);
