/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/ca_stats.h"

#include <assert.h>

/* What a CA says is its own; what we count of it is bounded. */
static const int statuses[] = {
    200, 201, 204, 400, 401, 403, 404, 405, 409, 415, 429, 500, 502, 503, 504, 0};
static_assert(sizeof(statuses) / sizeof(statuses[0]) == CA_STATUSES, "a row for each");

void
ca_stats_answered(struct ca_stats *s, enum acme_place place, int status)
{
	size_t i = 0;

	if (status == 0)
		i = CA_STATUSES;
	while (i < CA_STATUSES - 1 && statuses[i] != status)
		i++;
	s->requests[place][i]++;
}

int
ca_status_at(size_t i)
{
	assert(i < CA_STATUSES);
	return statuses[i];
}
