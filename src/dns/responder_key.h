/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A domain name as a key that sorts like the tree: labels from the root down,
 * each with its length in front, lower case. A name is at or below another
 * exactly if its key begins with the other's, and what is below a name follows
 * it directly in key order.
 */
#pragma once

#include "dns/ldns.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct responder_key {
	size_t len; /* 0: the root */
	uint8_t bytes[LDNS_MAX_DOMAINLEN];
};

void responder_key_of(const ldns_rdf *dname, struct responder_key *ret);
/* At or below. */
bool responder_key_within(const struct responder_key *key, const struct responder_key *parent);
