/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What clients ask for: requests, connections, the cache. */
#include <stdio.h>

#include "challenge/challenges.h"
#include "mgmt/metrics_private.h"
#include "mgmt/mgmt.h"
#include "mgmt/status.h"

void
metrics_code(int status, char out[METRICS_CODE_TEXT])
{
	if (status == 0)
		snprintf(out, METRICS_CODE_TEXT, "other");
	else
		snprintf(out, METRICS_CODE_TEXT, "%d", status);
}

struct server_row {
	const char *name;
	const struct http_server_stats *stats;
};

enum { SERVERS = 3 };

static void
servers_of(const struct scrape *s, struct server_row ret[SERVERS])
{
	ret[0] = (struct server_row){"management", mgmt_stats(s->conf->mgmt)};
	ret[1] = (struct server_row){"challenge", challenges_http_stats(s->conf->challenges)};
	ret[2] = (struct server_row){"status", s->own};
}

void
metrics_http_requests(struct scrape *s)
{
	struct server_row servers[SERVERS];
	char code[METRICS_CODE_TEXT];

	servers_of(s, servers);
	for (size_t i = 0; i < SERVERS; i++)
		for (size_t k = 0; k <= HTTP_STATUSES; k++) {
			metrics_code(http_status_at(k), code);
			metrics_count(&s->text, LABELS({"server", servers[i].name}, {"code", code}),
			    servers[i].stats->replies[k]);
		}
}

void
metrics_http_connections(struct scrape *s)
{
	struct server_row servers[SERVERS];

	servers_of(s, servers);
	for (size_t i = 0; i < SERVERS; i++)
		metrics_count(&s->text, LABELS({"server", servers[i].name}),
		    servers[i].stats->accepted - servers[i].stats->closed);
}

void
metrics_http_accepted(struct scrape *s)
{
	struct server_row servers[SERVERS];

	servers_of(s, servers);
	for (size_t i = 0; i < SERVERS; i++)
		metrics_count(
		    &s->text, LABELS({"server", servers[i].name}), servers[i].stats->accepted);
}

void
metrics_sign_requests(struct scrape *s)
{
	const struct desk_stats *d = s->desk;

	metrics_count(&s->text, LABELS({"outcome", "issued"}), d->issued);
	metrics_count(&s->text, LABELS({"outcome", "cached"}), d->cached);
	metrics_count(&s->text, LABELS({"outcome", "renewal_failed"}), d->renewals_failed);
	for (enum err_kind kind = ERR_NONE + 1; kind < ERR_KIND_COUNT; kind++)
		metrics_count(&s->text, LABELS({"outcome", err_kind_name(kind)}), d->failed[kind]);
}

void
metrics_cache_lookups(struct scrape *s)
{
	metrics_count(&s->text, LABELS({"result", "hit"}), s->desk->cache_hits);
	metrics_count(&s->text, LABELS({"result", "miss"}), s->desk->cache_misses);
}

void
metrics_renewals_failed(struct scrape *s)
{
	metrics_count(&s->text, NULL, s->desk->renewals_failed);
}
