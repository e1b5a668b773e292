/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The header "Authentication: hmac name=sha256, hash=HEX" (Authorization: takes
 * the same value). Pairs separated by comma, blank or both, in any order; hex in
 * either case; scheme and algorithm in any case; values may be quoted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/digest.h"

struct authentication {
	enum digest_kind kind;
	uint8_t hash[DIGEST_MAX]; /* digest_size(kind) bytes */
};

/* ERR_FORBIDDEN with what is wrong: other scheme, unknown name, missing or repeated pair, hash of
 * the wrong length. */
bool authentication_parse(const char *value, size_t len, struct authentication *ret, struct err *e);
