/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/responder_key.h"

#include <assert.h>
#include <string.h>

/* The length octet of a label is below 'A', so lowering it too changes nothing. */
static_assert(LDNS_MAX_LABELLEN < 'A', "a length octet could be taken for a letter");

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* The name goes in from the end of the key: its first label is the last of the key. ldns has
 * checked the bytes when it made the name. */
void
responder_key_of(const ldns_rdf *dname, struct responder_key *ret)
{
	const uint8_t *wire = ldns_rdf_data(dname);
	size_t size = ldns_rdf_size(dname), at = 0, to;

	assert(size >= 1 && size <= LDNS_MAX_DOMAINLEN);
	ret->len = to = size - 1;
	while (at < ret->len) {
		size_t label = (size_t)wire[at] + 1;

		assert(label <= to);
		to -= label;
		for (size_t i = 0; i < label; i++)
			ret->bytes[to + i] = lower(wire[at + i]);
		at += label;
	}
}

bool
responder_key_within(const struct responder_key *key, const struct responder_key *parent)
{
	return key->len >= parent->len && memcmp(key->bytes, parent->bytes, parent->len) == 0;
}
