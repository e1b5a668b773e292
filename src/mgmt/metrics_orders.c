/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What we ask for: orders, requests to the CA, challenges. */
#include <stdio.h>

#include "acme/ca.h"
#include "acme/order.h"
#include "challenge/challenge.h"
#include "challenge/challenges.h"
#include "http/client.h"
#include "mgmt/metrics_private.h"
#include "mgmt/status.h"

enum { KIND_TEXT = 32 };

/* ---- orders ---- */

void
metrics_jobs(struct scrape *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < JOB_STATES; i++)
		n += s->desk->jobs.now[i];
	metrics_count(&s->text, NULL, n);
}

void
metrics_jobs_by_state(struct scrape *s)
{
	for (size_t i = 0; i < JOB_STATES; i++)
		metrics_count(&s->text, LABELS({"state", job_state_name(i)}), s->desk->jobs.now[i]);
}

void
metrics_orders_by_state(struct scrape *s)
{
	for (size_t i = 0; i < ACME_ORDER_STATES; i++)
		metrics_count(
		    &s->text, LABELS({"state", acme_order_state_name(i)}), s->ca->orders[i]);
}

void
metrics_orders_started(struct scrape *s)
{
	metrics_count(&s->text, NULL, s->desk->jobs.ordered);
}

void
metrics_order_duration(struct scrape *s)
{
	const struct job_stats *jobs = &s->desk->jobs;

	metrics_histogram(&s->text, &(struct metrics_label){"result", "issued"}, &jobs->issued);
	metrics_histogram(&s->text, &(struct metrics_label){"result", "failed"}, &jobs->failed);
}

/* ---- the CA ---- */

static bool
is_down(const struct err *e)
{
	return e->kind == ERR_UNREACHABLE || e->kind == ERR_UPSTREAM;
}

void
metrics_ca_up(struct scrape *s)
{
	struct err e;

	metrics_count(&s->text, NULL, ca_ready(s->conf->ca, &e) || !is_down(&e));
}

void
metrics_ca_accepts(struct scrape *s)
{
	metrics_count(&s->text, NULL, ca_ready(s->conf->ca, NULL));
}

/* "new_order" */
static void
kind_text(enum acme_place place, char out[KIND_TEXT])
{
	snprintf(out, KIND_TEXT, "%s", acme_place_name(place));
	for (char *p = out; *p != '\0'; p++)
		if (*p == ' ')
			*p = '_';
}

/* Of those that never happened only the commonest stand there: an absent series and one that is
 * zero say the same, and there are many. */
static void
ca_requests_of(struct scrape *s, enum acme_place place)
{
	const uint64_t *n = s->ca->requests[place];
	char kind[KIND_TEXT];
	char code[METRICS_CODE_TEXT];

	kind_text(place, kind);
	for (size_t i = 0; i < CA_STATUSES; i++) {
		metrics_code(ca_status_at(i), code);
		if (n[i] > 0 || ca_status_at(i) == 200)
			metrics_count(&s->text, LABELS({"kind", kind}, {"code", code}), n[i]);
	}
	metrics_count(&s->text, LABELS({"kind", kind}, {"code", "none"}), n[CA_STATUSES]);
}

void
metrics_ca_requests(struct scrape *s)
{
	for (enum acme_place place = 0; place < PLACE_COUNT; place++)
		if (place != PLACE_VALIDATION && place != PLACE_ISSUANCE)
			ca_requests_of(s, place);
}

void
metrics_nonce_retries(struct scrape *s)
{
	metrics_count(&s->text, NULL, s->ca->nonce_retries);
}

void
metrics_client_connections(struct scrape *s)
{
	const struct http_client_stats *c = http_client_stats(s->conf->client);

	metrics_count(&s->text, NULL, c->opened - c->closed);
}

void
metrics_client_opened(struct scrape *s)
{
	metrics_count(&s->text, NULL, http_client_stats(s->conf->client)->opened);
}

/* ---- challenges ---- */

void
metrics_presented(struct scrape *s)
{
	for (enum challenge_type i = 0; i < CHALLENGE_TYPE_COUNT; i++)
		metrics_count(&s->text, LABELS({"type", challenge_type_name(i)}),
		    challenges_stats(s->conf->challenges)[i].presented);
}

void
metrics_answered(struct scrape *s)
{
	static const enum challenge_type types[] = {CHALLENGE_HTTP01, CHALLENGE_DNS01_SERVER};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		metrics_count(&s->text, LABELS({"type", challenge_type_name(types[i])}),
		    challenges_stats(s->conf->challenges)[types[i]].answered);
}

void
metrics_dns_updates(struct scrape *s)
{
	const struct challenge_stats *c =
	    &challenges_stats(s->conf->challenges)[CHALLENGE_DNS01_UPDATE];

	metrics_count(&s->text, LABELS({"result", "done"}), c->updates_done);
	metrics_count(&s->text, LABELS({"result", "failed"}), c->updates_failed);
}
