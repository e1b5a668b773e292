/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/metrics.h"

#include <stdlib.h>

#include "acme/ca.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "config.h"
#include "mgmt/metrics_private.h"
#include "mgmt/status.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- this program, and this process ---- */

static void
build_info(struct scrape *s)
{
	metrics_count(&s->text, LABELS({"version", ACMEMS_VERSION}), 1);
}

static void
process_cpu(struct scrape *s)
{
	metrics_value(&s->text, NULL, s->process.cpu_seconds);
}

static void
process_start(struct scrape *s)
{
	metrics_value(&s->text, NULL, s->started);
}

static void
process_resident(struct scrape *s)
{
	metrics_count(&s->text, NULL, s->process.resident_bytes);
}

static void
process_virtual(struct scrape *s)
{
	metrics_count(&s->text, NULL, s->process.virtual_bytes);
}

static void
process_fds(struct scrape *s)
{
	metrics_count(&s->text, NULL, s->process.descriptors);
}

static void
process_fds_max(struct scrape *s)
{
	metrics_count(&s->text, NULL, s->process.descriptors_max);
}

/* ---- the table ---- */

static const struct metric {
	const char *name;
	const char *type;
	const char *help;
	void (*write)(struct scrape *s);
} metrics[] = {
    {"acmems_build_info", "gauge", "1, with the version of this server.", build_info},
    {"acmems_http_requests_total", "counter", "HTTP requests answered, by server and status.",
	metrics_http_requests},
    {"acmems_http_connections", "gauge", "Open connections of clients, by server.",
	metrics_http_connections},
    {"acmems_http_connections_accepted_total", "counter", "Connections accepted, by server.",
	metrics_http_accepted},
    {"acmems_sign_requests_total", "counter", "Requests for a certificate, by what became of them.",
	metrics_sign_requests},
    {"acmems_cache_lookups_total", "counter",
	"Look-ups in a storage: a hit is a certificate that is not due.", metrics_cache_lookups},
    {"acmems_renewals_failed_total", "counter",
	"Requests answered with a stored certificate that is due, because no new one was had.",
	metrics_renewals_failed},
    {"acmems_jobs_in_flight", "gauge", "Certificates being worked on.", metrics_jobs},
    {"acmems_jobs", "gauge", "Certificates being worked on, by state.", metrics_jobs_by_state},
    {"acmems_orders", "gauge", "Orders at the CA, by state.", metrics_orders_by_state},
    {"acmems_orders_started_total", "counter", "Orders begun.", metrics_orders_started},
    {"acmems_order_duration_seconds", "histogram",
	"From the first request to the certificate in the storage, or to the failure.",
	metrics_order_duration},
    {"acmems_ca_up", "gauge", "0 while the CA cannot be reached or answers nonsense.",
	metrics_ca_up},
    {"acmems_ca_accepts_orders", "gauge",
	"0 while no orders are made: CA down, account out of order, or a pause.",
	metrics_ca_accepts},
    {"acmems_ca_requests_total", "counter",
	"Requests to the CA, by what for and status; none: there was no answer.",
	metrics_ca_requests},
    {"acmems_ca_nonce_retries_total", "counter",
	"Requests sent again because the CA refused the nonce.", metrics_nonce_retries},
    {"acmems_ca_connections", "gauge", "Open connections to CAs.", metrics_client_connections},
    {"acmems_ca_connections_opened_total", "counter", "Connections to CAs opened.",
	metrics_client_opened},
    {"acmems_challenges_presented_total", "counter", "Challenges made answerable, by type.",
	metrics_presented},
    {"acmems_challenges_answered_total", "counter",
	"Times a challenge was fetched from us, by type.", metrics_answered},
    {"acmems_dns_updates_total", "counter", "Changes sent to name servers, by result.",
	metrics_dns_updates},
    {"acmems_certificates", "gauge", "Certificates held; of several for the same names the newest.",
	metrics_held},
    {"acmems_certificates_expired", "gauge", "Of those held: no longer valid.", metrics_expired},
    {"acmems_certificates_nearest_expiry_timestamp_seconds", "gauge",
	"When the first of those held ends.", metrics_nearest_expiry},
    {"acmems_certificates_due", "gauge",
	"Of those held: due for renewal, and nobody has come for it.", metrics_due},
    {"acmems_certificates_due_since_timestamp_seconds", "gauge",
	"Since when the one that is due for longest is.", metrics_due_since},
    {"process_cpu_seconds_total", "counter", "CPU time used, user and system.", process_cpu},
    {"process_start_time_seconds", "gauge", "When this process was started.", process_start},
    {"process_resident_memory_bytes", "gauge", "Memory in use.", process_resident},
    {"process_virtual_memory_bytes", "gauge", "Address space.", process_virtual},
    {"process_open_fds", "gauge", "Open descriptors.", process_fds},
    {"process_max_fds", "gauge", "How many may be open.", process_fds_max},
};

/* Once, for all the rows that tell of them. */
static void
count_stores(struct scrape *s)
{
	s->store_count = s->conf->store_count;
	s->stores = xcalloc(s->store_count + 1, sizeof(*s->stores));
	for (size_t i = 0; i < s->store_count; i++) {
		const struct store *store = s->conf->stores[i];

		s->stores[i].name = store->name;
		if (store->kind->figures != NULL)
			store->kind->figures(store, clock_wall(), &s->stores[i].figures);
	}
}

void
metrics_handle(void *server, struct http_exchange *x)
{
	struct scrape s = {.conf = status_conf(server)};
	struct http_reply reply = {
	    .status = 200,
	    .content_type = "text/plain; version=0.0.4; charset=utf-8",
	};

	s.own = status_stats(server);
	s.desk = desk_stats(s.conf->desk);
	s.ca = ca_stats(s.conf->ca);
	s.started = status_started(server);
	process_usage_read(&s.process);
	count_stores(&s);
	metrics_text_init(&s.text);
	for (size_t i = 0; i < COUNT(metrics); i++) {
		metrics_family(&s.text, metrics[i].name, metrics[i].type, metrics[i].help);
		metrics[i].write(&s);
	}
	reply.body = s.text.out.data;
	reply.body_len = s.text.out.len;
	http_exchange_reply(x, &reply);
	metrics_text_done(&s.text);
	free(s.stores);
}
