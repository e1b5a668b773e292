/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates that nobody took, or that could not be stored, kept in memory for
 * an hour: who posts the same CSR again gets them, and no second order is made.
 * Bounded in number and bytes; the oldest go first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "codec/chain.h"

struct results;

struct result {
	const char *pem;
	size_t pem_len;
	struct leaf_info leaf;
	bool once; /* forgotten when taken; else it stays for its hour */
};

struct results *results_new(size_t max_count, size_t max_bytes);
void results_free(struct results *r); /* NULL is fine */
/* Copies; replaces what is there. */
void results_put(struct results *r, const char *key, const struct result *result);
/* NULL if there is none. Valid until the next call of this module. */
const struct result *results_get(struct results *r, const char *key);
/* Someone got it. */
void results_taken(struct results *r, const char *key);
/* Forgets those whose leaf match says are meant. */
void results_forget(
    struct results *r, bool (*match)(void *arg, const struct leaf_info *leaf), void *arg);
size_t results_count(const struct results *r);
