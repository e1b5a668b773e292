/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT = 400, ANSWERS = 8 };

struct reply {
	struct peer_answer answer;
	char texts[ANSWERS][TEXT];
	size_t count;
	bool exists; /* there is something at the name */
};

static const char *
zone_of(const struct model *m, const char *name)
{
	const char *best = NULL;

	for (size_t i = 0; i < 4 && m->zones[i] != NULL; i++)
		if (dns_name_within(name, m->zones[i]) &&
		    (best == NULL || strlen(m->zones[i]) > strlen(best)))
			best = m->zones[i];
	return best;
}

/* ---- UPDATE ---- */

static void
remove_at(struct model *m, size_t i)
{
	m->dynamic[i] = m->dynamic[--m->dynamic_count];
}

static void
delete_value(struct model *m, const char *name, const char *value)
{
	m->deletes++;
	for (size_t i = 0; i < m->dynamic_count; i++)
		if (strcmp(m->dynamic[i].name, name) == 0 &&
		    strcmp(m->dynamic[i].value, value) == 0) {
			remove_at(m, i);
			return;
		}
}

static void
add_value(struct model *m, const char *name, const char *value)
{
	m->adds++;
	if (model_has(m, name, value))
		return;
	assert_true(m->dynamic_count < MODEL_DYNAMIC);
	snprintf(m->dynamic[m->dynamic_count].name, 256, "%.255s", name);
	snprintf(m->dynamic[m->dynamic_count].value, 64, "%s", value);
	m->dynamic_count++;
}

static void
serve_update(struct model *m, const struct peer_query *q)
{
	const ldns_rr *rr = ldns_rr_list_rr(q->message->sections[2], 0);
	const char *zone = zone_of(m, q->name);
	char name[DNS_NAME_TEXT];
	char value[64] = "";

	if (m->key != NULL && q->message->tsig == NULL) {
		peer_answer(q, &(struct peer_answer){.rcode = LDNS_RCODE_REFUSED});
		return;
	}
	if (zone == NULL || strcmp(zone, q->name) != 0) {
		peer_answer(q, &(struct peer_answer){.rcode = LDNS_RCODE_NOTAUTH, .key = m->key});
		return;
	}
	assert_int_equal(ldns_rr_list_rr_count(q->message->sections[2]), 1);
	assert_int_equal(ldns_rr_get_type(rr), LDNS_RR_TYPE_TXT);
	assert_true(dns_rr_owner(rr, name));
	const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);
	memcpy(value, ldns_rdf_data(rdf) + 1, ldns_rdf_data(rdf)[0]);
	if (ldns_rr_get_class(rr) == LDNS_RR_CLASS_NONE)
		delete_value(m, name, value);
	else
		add_value(m, name, value);
	peer_answer(q, &(struct peer_answer){.key = m->key});
}

/* ---- questions ---- */

static void
put(struct reply *r, const char *text)
{
	assert_true(r->count < ANSWERS);
	snprintf(r->texts[r->count], TEXT, "%s", text);
	r->answer.answer[r->count] = r->texts[r->count];
	r->count++;
}

static void
match_static(struct reply *r, const char *record, const struct peer_query *q)
{
	char owner[300], type[16], name[DNS_NAME_TEXT], link[TEXT];
	ldns_rr_type t;

	assert_int_equal(sscanf(record, "%299s %15s", owner, type), 2);
	t = ldns_get_rr_type_by_name(type);
	assert_true(dns_name_parse(owner, name));
	if (t == LDNS_RR_TYPE_DNAME && dns_name_within(q->name, name) &&
	    !dns_name_equal(q->name, name)) {
		put(r, record);
		r->exists = true;
	}
	if (!dns_name_equal(q->name, name))
		return;
	r->exists = true;
	if (t == q->type || t == LDNS_RR_TYPE_CNAME) {
		snprintf(link, sizeof(link), "%s", record);
		put(r, link);
	}
}

static void
match_dynamic(struct reply *r, const struct model *m, const struct peer_query *q)
{
	char text[TEXT];

	for (size_t i = 0; i < m->dynamic_count; i++) {
		if (strcmp(m->dynamic[i].name, q->name) != 0)
			continue;
		r->exists = true;
		if (q->type != LDNS_RR_TYPE_TXT)
			continue;
		snprintf(
		    text, sizeof(text), "%s. TXT \"%s\"", m->dynamic[i].name, m->dynamic[i].value);
		put(r, text);
	}
}

static void
serve_question(struct model *m, const struct peer_query *q)
{
	const char *zone = zone_of(m, q->name);
	struct reply r = {0};
	char soa[TEXT];

	if (zone == NULL) {
		peer_answer(q,
		    &(struct peer_answer){.rcode = LDNS_RCODE_REFUSED, .not_authoritative = true});
		return;
	}
	for (size_t i = 0; i < MODEL_RECORDS && m->records[i] != NULL; i++)
		match_static(&r, m->records[i], q);
	match_dynamic(&r, m, q);
	snprintf(soa, sizeof(soa), "%s. SOA ns.example. host.example. 1 60 60 60 60", zone);
	if (strcmp(zone, q->name) == 0) {
		r.exists = true;
		if (q->type == LDNS_RR_TYPE_SOA)
			put(&r, soa);
	}
	if (r.count == 0)
		r.answer.authority[0] = soa;
	r.answer.rcode = r.exists ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN;
	peer_answer(q, &r.answer);
}

void
model_serve(struct model *m, const struct peer_query *q)
{
	if (q->message->opcode == LDNS_PACKET_UPDATE)
		serve_update(m, q);
	else
		serve_question(m, q);
}

static void
serve(void *arg, const struct peer_query *q)
{
	struct model *m = arg;

	if (m->hook == NULL || !m->hook(m->arg, m, q))
		model_serve(m, q);
}

bool
model_start(struct model *m, struct loop *loop, const char *address, uint16_t port)
{
	m->peer = peer_new(loop, address, port, serve, m);
	return m->peer != NULL;
}

void
model_stop(struct model *m)
{
	peer_free(m->peer);
	m->peer = NULL;
}

bool
model_has(const struct model *m, const char *name, const char *value)
{
	for (size_t i = 0; i < m->dynamic_count; i++)
		if (strcmp(m->dynamic[i].name, name) == 0 &&
		    strcmp(m->dynamic[i].value, value) == 0)
			return true;
	return false;
}

size_t
model_count(const struct model *m, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < m->dynamic_count; i++)
		n += strcmp(m->dynamic[i].name, name) == 0;
	return n;
}
