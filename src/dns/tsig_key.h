/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key of transaction signatures (RFC 8945), from a key file as tsig-keygen
 * and ddns-confgen write it or from its three parts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/digest.h"
#include "dns/name.h"

enum { TSIG_KEY_FILE_MAX = 64 * 1024, TSIG_SECRET_MAX = 512 };

struct tsig_key {
	char name[DNS_NAME_TEXT];
	enum digest_kind algorithm; /* SHA-1, -224, -256, -384 or -512 */
	uint8_t secret[TSIG_SECRET_MAX];
	size_t secret_len;
};

/* The secret's octets; 1 to TSIG_SECRET_MAX. algorithm as below. ERR_CONFIG. */
bool tsig_key_set(const char *name, const char *algorithm, const uint8_t *secret, size_t len,
    struct tsig_key *ret, struct err *e);
/* algorithm: "hmac-sha256" in any case; secret: base64 (RFC 4648 4). ERR_CONFIG, never with the
 * secret in it. */
bool tsig_key_make(const char *name, const char *algorithm, const char *secret,
    struct tsig_key *ret, struct err *e);
/* The one "key NAME { algorithm A; secret S; };" in text; other statements and comments are passed
 * over. ERR_CONFIG with the line. */
bool tsig_key_parse(const char *text, size_t len, struct tsig_key *ret, struct err *e);
/* The same from a file. ERR_CONFIG with the path. */
bool tsig_key_load(const char *path, struct tsig_key *ret, struct err *e);
/* Overwrites the secret. */
void tsig_key_done(struct tsig_key *key);
/* "hmac-sha256" */
const char *tsig_algorithm_name(enum digest_kind algorithm);
