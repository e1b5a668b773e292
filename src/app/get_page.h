/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page acme-get serves: what the certificate says, and the chain as it was delivered. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct chain;

/* HTML without anything to run or to fetch; everything from the certificate is escaped. The caller
 * frees it. */
char *get_page(const struct chain *chain, bool revoked, size_t *ret_len);
