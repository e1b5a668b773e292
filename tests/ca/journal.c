/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ca.h"
#include "request.h"

struct entry {
	uint64_t number, connection, account;
	int64_t ms; /* since the journal began */
	enum endpoint endpoint;
	int status;
	char problem[sizeof(((struct answer *)0)->problem)];
	char *method, *path, *agent, *type;
	json_t *payload;
	json_t *faults;
};

struct journal {
	int64_t began;
	uint64_t last;
	size_t size;
	struct entry *ring;
};

struct journal *
journal_new(size_t size)
{
	struct journal *j = xcalloc(1, sizeof(*j));

	j->began = clock_mono_ms();
	j->size = size > 0 ? size : 1;
	j->ring = xcalloc(j->size, sizeof(*j->ring));
	return j;
}

static void
entry_done(struct entry *e)
{
	free(e->method);
	free(e->path);
	free(e->agent);
	free(e->type);
	json_decref(e->payload);
	json_decref(e->faults);
	*e = (struct entry){0};
}

void
journal_clear(struct journal *j)
{
	for (size_t i = 0; i < j->size; i++)
		entry_done(&j->ring[i]);
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	journal_clear(j);
	free(j->ring);
	free(j);
}

void
journal_add(struct journal *j, const struct call *c, uint64_t connection)
{
	struct entry *e = &j->ring[++j->last % j->size];

	entry_done(e);
	*e = (struct entry){
	    .number = j->last,
	    .connection = connection,
	    .account = c->account != NULL ? c->account->id : 0,
	    .ms = clock_mono_ms() - j->began,
	    .endpoint = c->endpoint,
	    .status = c->answer->status,
	    .method = xstrdup(c->http->method),
	    .path = xstrdup(c->http->path),
	    .agent = xstrdup(request_header(c->http, "User-Agent")),
	    .type = xstrdup(request_header(c->http, "Content-Type")),
	    .payload = json_incref(c->payload),
	};
	strcpy(e->problem, c->answer->problem);
	if (c->faults.count == 0)
		return;
	e->faults = json_array();
	for (size_t i = 0; i < c->faults.count; i++)
		json_array_append(e->faults, c->faults.list[i]->params);
}

static json_t *
entry_json(const struct entry *e)
{
	return json_pack("{s:I, s:I, s:I, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:I, s:O?, s:O?}", "n",
	    (json_int_t)e->number, "ms", (json_int_t)e->ms, "connection", (json_int_t)e->connection,
	    "endpoint", endpoint_name(e->endpoint), "method", e->method, "path", e->path, "status",
	    e->status, "problem", e->problem, "user-agent", e->agent, "content-type", e->type,
	    "account", (json_int_t)e->account, "payload", e->payload, "faults", e->faults);
}

json_t *
journal_json(const struct journal *j, uint64_t since)
{
	json_t *list = json_array();
	uint64_t first = j->last > j->size ? j->last - j->size + 1 : 1;

	for (uint64_t n = since >= first ? since + 1 : first; n <= j->last; n++)
		if (j->ring[n % j->size].number == n)
			json_array_append_new(list, entry_json(&j->ring[n % j->size]));
	return list;
}
