/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The account's private key on disk, DIR/account.pem: loaded, or made on first use. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "codec/key.h"

enum key_file_event {
	KEY_FILE_LOADED,
	KEY_FILE_TIGHTENED, /* others could read it: mode is 0600 now */
	KEY_FILE_MADE,
};

/* The path of NAME in the account's directory; the caller frees it. */
char *account_path(const char *dir, const char *name);
/* Whether key_file_open would load the key that is there; none is fine. ERR_CONFIG. */
bool key_file_check(const char *dir, struct err *e);
/* dir is made with mode 0700 if it is missing. NULL: ERR_CONFIG. */
struct key *key_file_open(
    const char *dir, enum key_type type, enum key_file_event *ret_event, struct err *e);
