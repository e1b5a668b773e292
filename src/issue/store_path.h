/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where things lie in a file store:
 * DIRECTORY/<first 2 hex digits>/<other 94>/{csr.pem,meta.json,cert.pem}.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/file_stamp.h"
#include "codec/digest.h"

enum { STORE_PREFIX_LEN = 2, STORE_KEY_LEN = SHA384_HEX - 1 };

/* In the order in which they are put in place: an entry is whole once it has its certificate. */
enum store_part { STORE_CSR, STORE_META, STORE_CERT, STORE_PARTS };

struct store_path {
	char text[PATH_MAX];
};

/* Within an entry's directory; the second is where a part is written before it is renamed. */
const char *store_part_name(enum store_part part);
const char *store_temp_name(enum store_part part);
const char *store_path_prefix(struct store_path *out, const char *dir, const char *key);
const char *store_path_entry(struct store_path *out, const char *dir, const char *key);
const char *store_path_part(
    struct store_path *out, const char *dir, const char *key, enum store_part part);
const char *store_path_temp(
    struct store_path *out, const char *dir, const char *key, enum store_part part);

/* The smallest key in the store greater than cursor ("": the first). False at the end. */
bool store_key_after(const char *dir, const char *cursor, char ret_key[SHA384_HEX]);
/* Removes an entry, the certificate first; one that is not there is fine. Foreign files in it stay,
 * and so does its directory then. */
bool store_entry_remove(const char *dir, const char *key, struct err *e);
