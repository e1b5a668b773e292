/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of /metrics share. Each function below writes the samples of
 * one row of the table in metrics.c.
 */
#pragma once

#include <stddef.h>

#include "acme/ca_stats.h"
#include "http/server.h"
#include "issue/desk.h"
#include "issue/store.h"
#include "mgmt/metrics.h"
#include "mgmt/metrics_text.h"
#include "mgmt/process_usage.h"

#define LABELS(...) ((const struct metrics_label[]){__VA_ARGS__, {NULL, NULL}})

struct status_conf;

/* What one scrape looks at. */
struct scrape {
	struct metrics_text text;
	const struct status_conf *conf;
	const struct http_server_stats *own; /* of the server that is asked */
	const struct desk_stats *desk;
	const struct ca_stats *ca;
	struct process_usage process;
	double started;
	struct scrape_store {
		const char *name;
		struct store_figures figures;
	} * stores;
	size_t store_count;
};

enum { METRICS_CODE_TEXT = 16 };
/* "200", or "other" for 0. */
void metrics_code(int status, char out[METRICS_CODE_TEXT]);

/* metrics_requests.c */
void metrics_http_requests(struct scrape *s);
void metrics_http_connections(struct scrape *s);
void metrics_http_accepted(struct scrape *s);
void metrics_sign_requests(struct scrape *s);
void metrics_cache_lookups(struct scrape *s);
void metrics_renewals_failed(struct scrape *s);

/* metrics_orders.c */
void metrics_jobs(struct scrape *s);
void metrics_jobs_by_state(struct scrape *s);
void metrics_orders_by_state(struct scrape *s);
void metrics_orders_started(struct scrape *s);
void metrics_order_duration(struct scrape *s);
void metrics_ca_up(struct scrape *s);
void metrics_ca_accepts(struct scrape *s);
void metrics_ca_requests(struct scrape *s);
void metrics_nonce_retries(struct scrape *s);
void metrics_client_connections(struct scrape *s);
void metrics_client_opened(struct scrape *s);
void metrics_presented(struct scrape *s);
void metrics_answered(struct scrape *s);
void metrics_dns_updates(struct scrape *s);

/* metrics_certificates.c */
void metrics_held(struct scrape *s);
void metrics_expired(struct scrape *s);
void metrics_nearest_expiry(struct scrape *s);
void metrics_due(struct scrape *s);
void metrics_due_since(struct scrape *s);
