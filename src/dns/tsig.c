/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/tsig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "dns/hint.h"
#include "dns/message.h"
#include "dns/rdf.h"

enum { RDATA_FIELDS = 7, MAC_INPUT_MAX = DNS_ANSWER_MAX + 2048 };

/* The record's fields (RFC 8945 4.2). */
struct tsig {
	char name[DNS_NAME_TEXT];
	char algorithm[DNS_NAME_TEXT];
	uint64_t time;
	uint16_t fudge;
	struct tsig_mac mac;
	uint16_t original_id;
	uint16_t error;
	uint8_t other[16];
	size_t other_len;
};

/* ---- bytes ---- */

static void
add_int(struct buf *b, uint64_t value, size_t octets)
{
	while (octets-- > 0)
		buf_add(b, &(uint8_t){(uint8_t)(value >> (8 * octets))}, 1);
}

static uint64_t
read_int(const uint8_t *p, size_t octets)
{
	uint64_t value = 0;

	while (octets-- > 0)
		value = value << 8 | *p++;
	return value;
}

/* Canonical wire form (RFC 8945 4.3.3). */
static void
add_name(struct buf *b, const char *name)
{
	ldns_rdf *rdf = rdf_check(rdf_from_name(name));

	buf_add(b, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	ldns_rdf_deep_free(rdf);
}

/* RFC 8945 4.3: the request's MAC, the message without its TSIG, the variables. */
static void
compute(const struct tsig_key *key, const struct tsig_mac *prior, const void *message, size_t len,
    const struct tsig *t, struct tsig_mac *ret)
{
	struct buf in;

	buf_init(&in, MAC_INPUT_MAX);
	if (prior != NULL) {
		add_int(&in, prior->len, 2);
		buf_add(&in, prior->bytes, prior->len);
	}
	buf_add(&in, message, len);
	add_name(&in, key->name);
	add_int(&in, LDNS_RR_CLASS_ANY, 2);
	add_int(&in, 0, 4);
	add_name(&in, tsig_algorithm_name(key->algorithm));
	add_int(&in, t->time, 6);
	add_int(&in, t->fudge, 2);
	add_int(&in, t->error, 2);
	add_int(&in, t->other_len, 2);
	buf_add(&in, t->other, t->other_len);
	ret->len = buf_failed(&in) ? 0
				   : digest_hmac(key->algorithm, key->secret, key->secret_len,
					 in.data, in.len, ret->bytes);
	buf_done(&in);
}

/* ---- signing ---- */

static void
set_count(struct buf *wire, int change)
{
	uint8_t *count = (uint8_t *)wire->data + 10;
	unsigned n = (unsigned)(read_int(count, 2) + (unsigned)change);

	count[0] = (uint8_t)(n >> 8);
	count[1] = (uint8_t)n;
}

void
tsig_sign(const struct tsig_key *key, const struct tsig_mac *prior, int64_t now, struct buf *wire,
    struct tsig_mac *ret_mac)
{
	struct tsig t = {.time = (uint64_t)now, .fudge = TSIG_FUDGE};
	struct buf rdata;

	t.original_id = (uint16_t)read_int((const uint8_t *)wire->data, 2);
	compute(key, prior, wire->data, wire->len, &t, ret_mac);
	buf_init(&rdata, 1024);
	add_name(&rdata, tsig_algorithm_name(key->algorithm));
	add_int(&rdata, t.time, 6);
	add_int(&rdata, t.fudge, 2);
	add_int(&rdata, ret_mac->len, 2);
	buf_add(&rdata, ret_mac->bytes, ret_mac->len);
	add_int(&rdata, t.original_id, 2);
	add_int(&rdata, t.error, 2);
	add_int(&rdata, 0, 2);

	add_name(wire, key->name);
	add_int(wire, LDNS_RR_TYPE_TSIG, 2);
	add_int(wire, LDNS_RR_CLASS_ANY, 2);
	add_int(wire, 0, 4);
	add_int(wire, rdata.len, 2);
	buf_add(wire, rdata.data, rdata.len);
	set_count(wire, 1);
	buf_done(&rdata);
}

/* ---- verifying ---- */

static bool
read_field(const ldns_rr *rr, size_t field, size_t octets, uint64_t *ret)
{
	const ldns_rdf *rdf = ldns_rr_rdf(rr, field);

	if (rdf == NULL || ldns_rdf_size(rdf) != octets)
		return false;
	*ret = read_int(ldns_rdf_data(rdf), octets);
	return true;
}

/* A field with a length of two octets before its data. */
static bool
read_data(const ldns_rr *rr, size_t field, uint8_t *out, size_t max, size_t *ret_len)
{
	const ldns_rdf *rdf = ldns_rr_rdf(rr, field);

	if (rdf == NULL || ldns_rdf_size(rdf) < 2 || ldns_rdf_size(rdf) - 2 > max ||
	    read_int(ldns_rdf_data(rdf), 2) != ldns_rdf_size(rdf) - 2)
		return false;
	*ret_len = ldns_rdf_size(rdf) - 2;
	memcpy(out, ldns_rdf_data(rdf) + 2, *ret_len);
	return true;
}

static bool
read_tsig(const ldns_rr *rr, struct tsig *t)
{
	uint64_t fudge, id, error;

	if (ldns_rr_rd_count(rr) != RDATA_FIELDS || ldns_rr_get_class(rr) != LDNS_RR_CLASS_ANY ||
	    ldns_rr_ttl(rr) != 0 || !dns_rr_owner(rr, t->name) ||
	    !dns_rr_name(rr, 0, t->algorithm) || !read_field(rr, 1, 6, &t->time) ||
	    !read_field(rr, 2, 2, &fudge) ||
	    !read_data(rr, 3, t->mac.bytes, sizeof(t->mac.bytes), &t->mac.len) ||
	    !read_field(rr, 4, 2, &id) || !read_field(rr, 5, 2, &error) ||
	    !read_data(rr, 6, t->other, sizeof(t->other), &t->other_len))
		return false;
	t->fudge = (uint16_t)fudge;
	t->original_id = (uint16_t)id;
	t->error = (uint16_t)error;
	return true;
}

/* The MAC over the message as it was before its TSIG was added. */
static bool
mac_valid(const struct tsig_key *key, const struct tsig_mac *request, const uint8_t *wire,
    const struct dns_message *m, const struct tsig *t)
{
	struct tsig_mac expected;
	struct buf message;

	buf_init(&message, DNS_ANSWER_MAX);
	add_int(&message, t->original_id, 2);
	buf_add(&message, wire + 2, m->tsig_at - 2);
	set_count(&message, -1);
	compute(key, request, message.data, message.len, t, &expected);
	buf_done(&message);
	return expected.len > 0 && t->mac.len == expected.len &&
	    digest_equal(t->mac.bytes, expected.bytes, expected.len);
}

static enum tsig_verdict
untrusted(const struct dns_message *m, struct err *e, const char *why)
{
	char number[16];

	err_set(e, dns_rcode_kind(m->rcode), "%s, but the answer %s; %s",
	    dns_rcode_text(m->rcode, number), why, dns_rcode_hint(m->rcode, true));
	return TSIG_UNTRUSTED;
}

/* BADKEY and BADSIG come without a MAC (RFC 8945 5.3.2), so anybody can say so. The name of the key
 * is for the log alone: clients see the error. */
static enum tsig_verdict
unsigned_error(
    const struct dns_message *m, const struct tsig_key *key, const struct tsig *t, struct err *e)
{
	char number[16];

	log_debug(NULL, "dns: TSIG error %s for key %s (%s)", tsig_error_text(t->error), key->name,
	    tsig_algorithm_name(key->algorithm));
	err_set(e, ERR_CONFIG, "%s, TSIG error %s: %s", dns_rcode_text(m->rcode, number),
	    tsig_error_text(t->error), tsig_error_hint(t->error));
	return TSIG_UNTRUSTED;
}

/* The other data of BADTIME is the server's clock (RFC 8945 5.2.3). */
static enum tsig_verdict
signed_error(const struct dns_message *m, const struct tsig *t, int64_t now, struct err *e)
{
	char number[16];
	char clocks[64] = "";

	if (t->error == TSIG_BADTIME && t->other_len == 6)
		snprintf(clocks, sizeof(clocks), " (the server's is %+lld s from ours)",
		    (long long)((int64_t)read_int(t->other, 6) - now));
	err_set(e, ERR_CONFIG, "%s, TSIG error %s: %s%s", dns_rcode_text(m->rcode, number),
	    tsig_error_text(t->error), tsig_error_hint(t->error), clocks);
	return TSIG_FINAL;
}

enum tsig_verdict
tsig_verify(const struct tsig_key *key, const struct tsig_mac *request, const uint8_t *wire,
    const struct dns_message *m, int64_t now, struct err *e)
{
	struct tsig t;

	if (m->tsig == NULL)
		return untrusted(m, e, "is not signed");
	if (!read_tsig(m->tsig, &t))
		return untrusted(m, e, "has a malformed signature");
	if (t.mac.len == 0 && t.error != 0)
		return unsigned_error(m, key, &t, e);
	if (!dns_name_equal(t.name, key->name))
		return untrusted(m, e, "is signed with a key of another name");
	if (!dns_name_equal(t.algorithm, tsig_algorithm_name(key->algorithm)))
		return untrusted(m, e, "is signed with another algorithm");
	if (!mac_valid(key, request, wire, m, &t))
		return untrusted(m, e, "has a wrong signature");
	if (llabs((long long)now - (long long)t.time) > t.fudge)
		return untrusted(m, e, "is signed at a time too far from our clock's");
	return t.error == 0 ? TSIG_VALID : signed_error(m, &t, now, e);
}
