/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The account's private key on disk: DIR/account.pem, loaded, or made on first use;
 * and while it is being changed (acme/key_change.h) the key that is to take its
 * place, DIR/account.pem.new. A key that is no longer used is kept beside them.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "codec/key.h"

#define KEY_FILE         "account.pem"
#define KEY_FILE_PENDING "account.pem.new"
#define KEY_FILE_OLD     "account.pem.old"    /* what account.pem was before */
#define KEY_FILE_UNUSED  "account.pem.unused" /* an account.pem.new that came to nothing */

enum key_file_event {
	KEY_FILE_LOADED,
	KEY_FILE_TIGHTENED, /* others could read it: mode is 0600 now */
	KEY_FILE_MADE,
};

/* The path of NAME in the account's directory; the caller frees it. */
char *account_path(const char *dir, const char *name);
/* Whether dir has such a file. */
bool key_file_there(const char *dir, const char *name);
/* Whether key_file_open would load the key that is there; none is fine. ERR_CONFIG. */
bool key_file_check(const char *dir, struct err *e);
/* dir is made with mode 0700 if it is missing. Blocks, for seconds if another program is just
 * changing the account. NULL: ERR_CONFIG, ERR_BUSY. */
struct key *key_file_open(
    const char *dir, enum key_type type, enum key_file_event *ret_event, struct err *e);
/* A new account.pem, in place of one that is there (which becomes account.pem.old) only if that is
 * wanted. Makes dir, takes the lock, blocks like key_file_open. False: ERR_CONFIG, ERR_BUSY;
 * ERR_ACCOUNT if there is one, or a key change to be brought to its end first. */
bool key_file_generate(const char *dir, enum key_type type, bool replace, struct err *e);
/* The key in DIR/NAME. NULL: ERR_CONFIG, also if there is none. */
struct key *key_file_load(const char *dir, const char *name, struct err *e);

/* What follows changes the directory, so its lock has to be held. Each blocks for some syncs.
 * ERR_CONFIG. */
/* Replaces DIR/NAME, with mode 0600. */
bool key_file_write(const char *dir, const char *name, const struct key *key, struct err *e);
/* A copy of account.pem becomes account.pem.old. */
bool key_file_keep_old(const char *dir, struct err *e);
/* account.pem.new becomes account.pem, and that account.pem.old. */
bool key_file_finish(const char *dir, struct err *e);
/* account.pem.new was for nothing; or it is not known for what: it becomes account.pem.unused. */
bool key_file_drop(const char *dir, struct err *e);
bool key_file_set_aside(const char *dir, struct err *e);
