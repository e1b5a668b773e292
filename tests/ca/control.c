/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "ca.h"
#include "journal.h"
#include "options.h"
#include "request.h"
#include "server.h"
#include "stats.h"

enum { SCENARIO_MAX = 4 << 20, TOKENS_SHOWN = 20 };

struct control {
	struct ca *ca;
	struct server *server;
};

struct ask {
	struct ca *ca;
	const char *rest; /* of the path */
	const json_t *body;
	struct answer *answer;
};

static void
refuse(struct ask *k, int status, const char *why)
{
	answer_json(k->answer, status, json_pack("{s:s}", "error", why));
}

static void
get_rules(struct ask *k)
{
	answer_json(k->answer, 200, rules_json(k->ca->rules));
}

static void
post_rules(struct ask *k)
{
	json_t *ids = json_array();
	struct err e;

	if (rules_add(k->ca->rules, k->body, ids, &e)) {
		answer_json(k->answer, 200, json_pack("{s:o}", "ids", ids));
		return;
	}
	json_decref(ids);
	refuse(k, 400, e.detail);
}

static void
put_rules(struct ask *k)
{
	rules_clear(k->ca->rules);
	post_rules(k);
}

static void
delete_rules(struct ask *k)
{
	if (*k->rest == '\0')
		rules_clear(k->ca->rules);
	else if (!rules_remove(k->ca->rules, atoll(k->rest))) {
		refuse(k, 404, "there is no such rule");
		return;
	}
	answer_json(k->answer, 200, json_object());
}

static void
get_stats(struct ask *k)
{
	answer_json(k->answer, 200, stats_json(k->ca));
}

static void
get_log(struct ask *k)
{
	const char *since = strstr(k->rest, "since=");

	answer_json(k->answer, 200,
	    journal_json(k->ca->journal, since != NULL ? strtoull(since + 6, NULL, 10) : 0));
}

/* Of the newest authorizations, newest last. */
static void
get_tokens(struct ask *k)
{
	const struct table *t = &k->ca->state.authz;
	json_t *list = json_array();

	for (size_t i = t->count > TOKENS_SHOWN ? t->count - TOKENS_SHOWN : 0; i < t->count; i++) {
		const struct authz *a = t->slots[i];
		json_array_append_new(list, json_string(a->token));
	}
	answer_json(k->answer, 200, list);
}

static void
post_reset(struct ask *k)
{
	ca_reset(k->ca, json_is_true(json_object_get(k->body, "state")));
	answer_json(k->answer, 200, json_object());
}

static void
get_knobs(struct ask *k)
{
	answer_json(k->answer, 200, options_knobs(k->ca->options));
}

static void
post_knobs(struct ask *k)
{
	struct err e;

	if (options_set_knobs(k->ca->options, k->body, &e))
		get_knobs(k);
	else
		refuse(k, 400, e.detail);
}

static void
get_faults(struct ask *k)
{
	answer_json(k->answer, 200, fault_list());
}

static const struct {
	const char *method, *path;
	void (*handle)(struct ask *k);
} routes[] = {
    {"GET", "/rules", get_rules},
    {"POST", "/rules", post_rules},
    {"PUT", "/rules", put_rules},
    {"DELETE", "/rules", delete_rules},
    {"GET", "/stats", get_stats},
    {"GET", "/log", get_log},
    {"GET", "/tokens", get_tokens},
    {"POST", "/reset", post_reset},
    {"GET", "/knobs", get_knobs},
    {"POST", "/knobs", post_knobs},
    {"GET", "/faults", get_faults},
};

static void
handle(void *arg, uint64_t connection, const struct request *r, struct answer *a)
{
	struct control *c = arg;
	json_t *body = json_loadb(r->body, r->body_len, 0, NULL);
	struct ask k = {.ca = c->ca, .body = body, .answer = a};
	size_t n = strcspn(r->path + 1, "/?") + 1, i = 0;

	while (i < sizeof(routes) / sizeof(*routes) &&
	    (strcmp(r->method, routes[i].method) != 0 || strlen(routes[i].path) != n ||
		strncmp(r->path, routes[i].path, n) != 0))
		i++;
	k.rest = r->path[n] != '\0' ? r->path + n + 1 : "";
	if (i == sizeof(routes) / sizeof(*routes))
		refuse(&k, 404, "rules, stats, log, tokens, reset, knobs, faults");
	else if (body == NULL && r->body_len > 0)
		refuse(&k, 400, "the body is no JSON");
	else
		routes[i].handle(&k);
	json_decref(body);
}

static struct greeting
greet(void *arg)
{
	return (struct greeting){0};
}

struct control *
control_new(struct ca *ca, const char *address, struct err *e)
{
	struct control *c = xcalloc(1, sizeof(*c));

	c->ca = ca;
	c->server = server_new(
	    &(struct server_conf){
		.base = ca->base, .address = address, .arg = c, .greet = greet, .handle = handle},
	    e);
	if (c->server == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	server_free(c->server);
	free(c);
}

const char *
control_address(const struct control *c)
{
	return server_address(c->server);
}

static bool
apply(struct ca *ca, const json_t *scenario, struct err *e)
{
	const json_t *knobs = json_object_get(scenario, "knobs");
	const json_t *rules = json_object_get(scenario, "rules");
	json_t *ids = json_array();
	bool done = (knobs == NULL || options_set_knobs(ca->options, knobs, e)) &&
	    (rules == NULL || rules_add(ca->rules, rules, ids, e));

	json_decref(ids);
	return done;
}

bool
control_load(struct ca *ca, const char *path, struct err *e)
{
	json_t *scenario = NULL;
	json_error_t error;
	struct buf text;
	bool done = false;

	buf_init(&text, SCENARIO_MAX);
	if (file_read(path, &text, e)) {
		scenario = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
		if (scenario == NULL)
			err_set(e, ERR_CONFIG, "%s:%d: %s", path, error.line, error.text);
		else
			done = apply(ca, scenario, e) || err_prefix(e, "%s", path);
	}
	json_decref(scenario);
	buf_done(&text);
	return done;
}
