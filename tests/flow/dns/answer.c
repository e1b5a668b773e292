/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers of the name server inside the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "peer.h"

static void
push(ldns_pkt *pkt, ldns_pkt_section section, const char *const *records, size_t max)
{
	for (size_t i = 0; i < max && records[i] != NULL; i++) {
		ldns_rr *rr = NULL;
		if (ldns_rr_new_frm_str(&rr, records[i], 60, NULL, NULL) != LDNS_STATUS_OK)
			fail_msg("no record: %s", records[i]);
		ldns_pkt_push_rr(pkt, section, rr);
	}
}

/* The MAC of a captured request, which its answer's signature covers. */
static void
request_mac(const struct dns_message *m, struct tsig_mac *mac)
{
	const ldns_rdf *rdf = ldns_rr_rdf(m->tsig, 3);

	mac->len = ldns_rdf_size(rdf) - 2;
	memcpy(mac->bytes, ldns_rdf_data(rdf) + 2, mac->len);
}

/* ---- a TSIG record with an error, from RFC 8945 alone ---- */

static void
add_int(struct buf *b, uint64_t value, size_t octets)
{
	while (octets-- > 0)
		buf_add(b, &(uint8_t){(uint8_t)(value >> (8 * octets))}, 1);
}

static void
add_name(struct buf *b, const char *name)
{
	ldns_rdf *rdf = ldns_dname_new_frm_str(name);

	buf_add(b, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	ldns_rdf_deep_free(rdf);
}

/* BADTIME comes with a MAC and the server's clock, the others with neither (5.3.2). */
static void
sign_error(const struct peer_answer *a, const struct tsig_mac *prior, struct buf *out)
{
	bool badtime = a->tsig_error == TSIG_BADTIME;
	uint64_t now = (uint64_t)clock_wall();
	size_t other = badtime ? 6 : 0;
	struct buf in;
	uint8_t mac[DIGEST_MAX];
	size_t mac_len = 0;

	buf_init(&in, 65535);
	add_int(&in, prior->len, 2);
	buf_add(&in, prior->bytes, prior->len);
	buf_add(&in, out->data, out->len);
	add_name(&in, a->key->name);
	add_int(&in, 0x00ff, 2);
	add_int(&in, 0, 4);
	add_name(&in, "hmac-sha256");
	add_int(&in, now, 6);
	add_int(&in, 300, 2);
	add_int(&in, a->tsig_error, 2);
	add_int(&in, other, 2);
	add_int(&in, now + (uint64_t)a->clock_offset, other);
	if (badtime)
		mac_len = digest_hmac(
		    DIGEST_SHA256, a->key->secret, a->key->secret_len, in.data, in.len, mac);
	buf_done(&in);

	add_name(out, a->key->name);
	add_int(out, 0x00fa00ff, 4);
	add_int(out, 0, 4);
	add_int(out, 13 + 16 + mac_len + other, 2);
	add_name(out, "hmac-sha256");
	add_int(out, now, 6);
	add_int(out, 300, 2);
	add_int(out, mac_len, 2);
	buf_add(out, mac, mac_len);
	add_int(out, (uint64_t)((uint8_t)out->data[0] << 8 | (uint8_t)out->data[1]), 2);
	add_int(out, a->tsig_error, 2);
	add_int(out, other, 2);
	add_int(out, now + (uint64_t)a->clock_offset, other);
	out->data[11]++;
}

void
peer_build(const struct peer_query *q, const struct peer_answer *a, struct buf *out)
{
	ldns_pkt *pkt = ldns_pkt_new();
	struct tsig_mac prior, mac;
	uint8_t *wire;
	size_t len;

	ldns_pkt_set_id(pkt, q->message->id);
	ldns_pkt_set_qr(pkt, true);
	ldns_pkt_set_aa(pkt, !a->not_authoritative);
	ldns_pkt_set_tc(pkt, a->truncated);
	ldns_pkt_set_opcode(pkt, q->message->opcode);
	ldns_pkt_set_rcode(pkt, (uint8_t)a->rcode);
	if (!a->no_question)
		ldns_pkt_push_rr(pkt, LDNS_SECTION_QUESTION,
		    ldns_rr_clone(ldns_rr_list_rr(q->message->sections[0], 0)));
	push(pkt, LDNS_SECTION_ANSWER, a->answer, 8);
	push(pkt, LDNS_SECTION_AUTHORITY, a->authority, 4);
	if (q->message->edns && !a->no_edns)
		ldns_pkt_set_edns_udp_size(pkt, 1232);
	assert_int_equal(ldns_pkt2wire(&wire, pkt, &len), LDNS_STATUS_OK);
	ldns_pkt_free(pkt);
	buf_init(out, 65535);
	buf_add(out, wire, len);
	LDNS_FREE(wire);
	if (a->key == NULL || q->message->tsig == NULL)
		return;
	request_mac(q->message, &prior);
	if (a->tsig_error != 0)
		sign_error(a, &prior, out);
	else
		tsig_sign(a->key, &prior, clock_wall() + a->clock_offset, out, &mac);
}

void
peer_answer(const struct peer_query *q, const struct peer_answer *a)
{
	struct buf out;

	peer_build(q, a, &out);
	peer_send(q, out.data, out.len);
	buf_done(&out);
}
