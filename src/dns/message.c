/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/rdf.h"

static const ldns_pkt_section order[] = {
    LDNS_SECTION_QUESTION, LDNS_SECTION_ANSWER, LDNS_SECTION_AUTHORITY, LDNS_SECTION_ADDITIONAL};

static uint16_t
read_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void
read_header(struct dns_message *m, const uint8_t *wire)
{
	m->id = read_u16(wire);
	m->response = LDNS_QR_WIRE(wire);
	m->opcode = LDNS_OPCODE_WIRE(wire);
	m->aa = LDNS_AA_WIRE(wire);
	m->tc = LDNS_TC_WIRE(wire);
	m->rcode = LDNS_RCODE_WIRE(wire);
}

/* OPT and TSIG are about the message, not in it. True: rr was taken (and is owned elsewhere). */
static bool
take_special(struct dns_message *m, ldns_rr *rr, size_t at, bool last, bool *ret_bad)
{
	ldns_rr_type type = ldns_rr_get_type(rr);

	if (type == LDNS_RR_TYPE_TSIG) {
		*ret_bad = !last;
		m->tsig = rr;
		m->tsig_at = at;
		return true;
	}
	if (type == LDNS_RR_TYPE_OPT) {
		*ret_bad = m->edns;
		m->edns = true;
		m->rcode |= (ldns_rr_ttl(rr) >> 24) << 4;
		ldns_rr_free(rr);
		return true;
	}
	return false;
}

static bool
parse_record(
    struct dns_message *m, const uint8_t *wire, size_t len, size_t *pos, size_t section, bool last)
{
	ldns_rr *rr = NULL;
	size_t at = *pos;
	bool bad = false;

	if (ldns_wire2rr(&rr, wire, len, pos, order[section]) != LDNS_STATUS_OK)
		return false;
	if (section == 3 && take_special(m, rr, at, last, &bad))
		return !bad;
	ldns_rr_type type = ldns_rr_get_type(rr);
	if (section > 0 && (type == LDNS_RR_TYPE_TSIG || type == LDNS_RR_TYPE_OPT)) {
		ldns_rr_free(rr);
		return false;
	}
	if (!ldns_rr_list_push_rr(m->sections[section], rr))
		abort();
	return true;
}

static bool
parse_sections(struct dns_message *m, const uint8_t *wire, size_t len)
{
	size_t left = 0;
	size_t pos = DNS_HEADER;

	for (size_t i = 0; i < 4; i++)
		left += read_u16(wire + 4 + 2 * i);
	if (left > DNS_RECORDS_MAX)
		return false;
	for (size_t i = 0; i < 4; i++) {
		m->sections[i] = rdf_check(ldns_rr_list_new());
		for (unsigned n = read_u16(wire + 4 + 2 * i); n > 0; n--)
			if (!parse_record(m, wire, len, &pos, i, --left == 0))
				return false;
	}
	return pos == len;
}

struct dns_message *
dns_message_parse(const uint8_t *wire, size_t len, struct err *e)
{
	if (len < DNS_HEADER || len > DNS_ANSWER_MAX) {
		err_set(e, ERR_UPSTREAM, "a message of %zu octets", len);
		return NULL;
	}
	struct dns_message *m = xcalloc(1, sizeof(*m));
	read_header(m, wire);
	if (parse_sections(m, wire, len))
		return m;
	dns_message_free(m);
	err_set(e, ERR_UPSTREAM, "a malformed message");
	return NULL;
}

void
dns_message_free(struct dns_message *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < 4; i++)
		ldns_rr_list_deep_free(m->sections[i]);
	ldns_rr_free(m->tsig);
	free(m);
}

const char *
dns_rcode_text(unsigned rcode, char out[16])
{
	static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",
	    "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"};

	if (rcode < sizeof(names) / sizeof(names[0]))
		return names[rcode];
	if (rcode == 16)
		return "BADVERS";
	snprintf(out, 16, "RCODE %u", rcode & 0xfffU);
	return out;
}

/* ---- looking into answers ---- */

const ldns_rr *
dns_message_find(
    const struct dns_message *m, ldns_pkt_section section, ldns_rr_type type, size_t nth)
{
	const ldns_rr_list *list = m->sections[section];

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		if (ldns_rr_get_type(rr) != type || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
			continue;
		if (nth-- == 0)
			return rr;
	}
	return NULL;
}

bool
dns_rr_owner(const ldns_rr *rr, char out[DNS_NAME_TEXT])
{
	return rdf_to_name(ldns_rr_owner(rr), out);
}

bool
dns_rr_name(const ldns_rr *rr, size_t field, char out[DNS_NAME_TEXT])
{
	return field < ldns_rr_rd_count(rr) && rdf_to_name(ldns_rr_rdf(rr, field), out);
}

static bool
strings_are(const ldns_rr *rr, const char *value)
{
	size_t left = strlen(value);

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
		size_t n = ldns_rdf_size(rdf) > 0 ? ldns_rdf_data(rdf)[0] : 0;
		if (ldns_rdf_size(rdf) != n + 1 || n > left ||
		    memcmp(ldns_rdf_data(rdf) + 1, value, n) != 0)
			return false;
		value += n;
		left -= n;
	}
	return left == 0;
}

bool
dns_rr_is_txt(const ldns_rr *rr, const char *name, const char *value)
{
	char owner[DNS_NAME_TEXT];

	return ldns_rr_get_type(rr) == LDNS_RR_TYPE_TXT && dns_rr_owner(rr, owner) &&
	    dns_name_equal(owner, name) && strings_are(rr, value);
}
