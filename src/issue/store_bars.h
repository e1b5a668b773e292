/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Barred keys on the disk of a file store: DIRECTORY/barred-keys/ holds one empty
 * file for each, named by the SHA-256 of its SubjectPublicKeyInfo in hex. Neither
 * name can be one of an entry. To allow a key again its file is removed by hand.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "issue/store.h"

struct store_sync;

/* Calls fn for each; what is no such name is passed over. No directory: none. ERR_CONFIG. */
bool store_bars_load(const char *dir, void (*fn)(void *arg, const uint8_t spki_sha256[32]),
    void *arg, struct err *e);
/* As store_kind.bar. sync is borrowed. Cancelled, what is begun stays as it is. */
void store_bars_add(struct loop *loop, struct store_sync *sync, const char *dir,
    const uint8_t spki_sha256[32], store_put_fn *done, void *arg, struct op **slot);
