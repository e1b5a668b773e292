/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS of the server, good and bad. What a connection gets is chosen when it is accepted. */
#pragma once

#include <openssl/ssl.h>

enum trust_kind {
	TRUST_GOOD = 0,
	TRUST_EXPIRED,
	TRUST_NOT_YET,
	TRUST_WRONG_NAME,
	TRUST_WRONG_CA,
	TRUST_COUNT
};

struct trust;

struct trust *trust_new(void);
void trust_free(struct trust *t);
SSL_CTX *trust_context(const struct trust *t, enum trust_kind kind);
/* PEM of the root clients are to trust. */
const char *trust_root(const struct trust *t);
/* "expired", ...; TRUST_COUNT if there is no such kind. */
enum trust_kind trust_kind_of(const char *name);
