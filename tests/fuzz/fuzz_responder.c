/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A query to the responder: whatever comes, what goes out is a DNS answer to it, within bounds. */
#include "fuzz.h"

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stdio.h>

#include "codec/ip.h"
#include "dns/responder_answer.h"
#include "dns/responder_table.h"

enum { TABLES = 3, MANY = 30 };

static struct responder_table *tables[TABLES];

static void
fill(struct responder_table *t)
{
	char value[44];

	responder_table_add(t, "_acme-challenge.example.org", "one", NULL, NULL, NULL);
	responder_table_add(t, "example.org.acme.example.net", "one", NULL, NULL, NULL);
	responder_table_add(t, "example.org.acme.example.net", "two", NULL, NULL, NULL);
	for (int i = 0; i < MANY; i++) {
		snprintf(value, sizeof(value), "%043d", i);
		responder_table_add(t, "a.b.c.acme.example.net", value, NULL, NULL, NULL);
	}
}

static void
make_tables(void)
{
	static const struct ip_addr v4 = {4, {192, 0, 2, 1}};
	static const struct responder_table_conf confs[TABLES] = {
	    {"acme.example.net", "ns.acme.example.net", NULL},
	    {"acme.example.net", NULL, &v4},
	    {NULL, NULL, &v4},
	};

	for (size_t i = 0; i < TABLES; i++) {
		tables[i] = responder_table_new(&confs[i], NULL);
		must(tables[i] != NULL);
		fill(tables[i]);
	}
}

/* The question comes back as it was, its case included; unless the query had its name compressed,
 * which shows in octets above those of a label. */
static void
check_question(
    const uint8_t *query, size_t len, const struct responder_reply *reply, const ldns_pkt *pkt)
{
	const uint8_t *name = query + LDNS_HEADER_SIZE;
	size_t n;

	if (ldns_pkt_qdcount(pkt) == 0)
		return;
	n = ldns_rdf_size(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(pkt), 0)));
	for (size_t i = 0; i < n; i++)
		if (len < LDNS_HEADER_SIZE + n || name[i] >= 0xc0)
			return;
	must(memcmp(name, reply->bytes + LDNS_HEADER_SIZE, n) == 0);
}

static void
check(const uint8_t *query, size_t len, bool tcp, const struct responder_reply *reply)
{
	ldns_pkt *pkt = NULL;

	must(len >= LDNS_HEADER_SIZE && !LDNS_QR_WIRE(query));
	must(ldns_wire2pkt(&pkt, reply->bytes, reply->len) == LDNS_STATUS_OK);
	must(ldns_pkt_qr(pkt) && !ldns_pkt_ra(pkt));
	must(memcmp(query, reply->bytes, 2) == 0);
	must(LDNS_OPCODE_WIRE(query) == LDNS_OPCODE_WIRE(reply->bytes));
	must(tcp || reply->len <= RESPONDER_UDP_MAX);
	must(tcp || ldns_pkt_edns(pkt) || reply->len <= RESPONDER_UDP_PLAIN);
	must(reply->served == NULL || ldns_pkt_ancount(pkt) > 0);
	check_question(query, len, reply, pkt);
	ldns_pkt_free(pkt);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (tables[0] == NULL)
		make_tables();
	for (size_t i = 0; i < 2 * (size_t)TABLES; i++) {
		struct responder_reply reply;
		bool tcp = i >= TABLES;

		if (!responder_answer(tables[i % TABLES], data, size, tcp, &reply))
			continue;
		check(data, size, tcp, &reply);
		free(reply.bytes);
	}
	return 0;
}
