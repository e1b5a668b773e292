/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats.h"

#include <stdio.h>
#include <sys/resource.h>

#include "ca.h"
#include "nonce.h"
#include "server.h"

static json_t *
requests(const struct ca *ca)
{
	json_t *object = json_object();

	for (enum endpoint e = 0; e < EP_CONNECTION; e++)
		json_object_set_new(
		    object, endpoint_name(e), json_integer((json_int_t)ca->counts.requests[e]));
	return object;
}

static json_t *
statuses(const struct ca *ca)
{
	json_t *object = json_object();
	char text[12];

	for (int i = 0; i < STATUS_CODES; i++) {
		if (ca->counts.status[i] == 0)
			continue;
		snprintf(text, sizeof(text), "%d", i);
		json_object_set_new(object, text, json_integer((json_int_t)ca->counts.status[i]));
	}
	return object;
}

static json_t *
faults(const struct ca *ca)
{
	json_t *object = json_object();

	for (enum fault_id id = 0; id < FAULT_COUNT; id++)
		if (ca->counts.faults[id] > 0)
			json_object_set_new(object, fault_kinds[id].name,
			    json_integer((json_int_t)ca->counts.faults[id]));
	return object;
}

static json_t *
connections(const struct ca *ca)
{
	const struct server_counts *n = server_counts(ca->server);

	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "accepted", (json_int_t)n->accepted, "open",
	    (json_int_t)n->open, "handshakes", (json_int_t)n->handshakes, "failed-handshakes",
	    (json_int_t)n->failed_handshakes, "broken-requests", (json_int_t)n->broken);
}

static json_t *
objects(const struct ca *ca)
{
	const struct state *s = &ca->state;

	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "accounts", (json_int_t)s->accounts.count,
	    "orders", (json_int_t)s->orders.count, "authorizations", (json_int_t)s->authz.count,
	    "certificates", (json_int_t)s->certs.count, "nonces",
	    (json_int_t)nonces_count(ca->nonces));
}

static double
seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

json_t *
stats_json(const struct ca *ca)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return json_pack("{s:o, s:o, s:o, s:O, s:o, s:o, s:{s:I, s:I}, s:{s:f, s:f}, s:I}",
	    "requests", requests(ca), "status", statuses(ca), "faults", faults(ca), "refused",
	    ca->refused, "connections", connections(ca), "objects", objects(ca), "validations",
	    "done", (json_int_t)ca->counts.validations, "failed",
	    (json_int_t)ca->counts.failed_validations, "cpu", "user", seconds(usage.ru_utime),
	    "system", seconds(usage.ru_stime), "max-rss-kb", (json_int_t)usage.ru_maxrss);
}
