/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rule.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/queue.h"
#include "base/random.h"

enum { FAULTS_MAX = 8, MILLION = 1000000 };

struct rule {
	TAILQ_ENTRY(rule) link;
	json_int_t id;
	enum endpoint endpoint;
	json_int_t nth, count,
	    every; /* from the nth on, so often at most (0: always), every so many */
	double probability;
	struct fault faults[FAULTS_MAX];
	size_t fault_count;
	json_int_t seen, fired;
	json_t *source;
};

TAILQ_HEAD(rule_list, rule);

struct rules {
	struct rule_list list;
	json_int_t last_id;
};

struct rules *
rules_new(void)
{
	struct rules *r = xcalloc(1, sizeof(*r));

	TAILQ_INIT(&r->list);
	return r;
}

static void
rule_free(struct rule *rule)
{
	for (size_t i = 0; i < rule->fault_count; i++)
		fault_done(&rule->faults[i]);
	json_decref(rule->source);
	free(rule);
}

static void
list_clear(struct rule_list *list)
{
	struct rule *rule;

	while ((rule = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, rule, link);
		rule_free(rule);
	}
}

void
rules_clear(struct rules *r)
{
	list_clear(&r->list);
}

void
rules_free(struct rules *r)
{
	if (r == NULL)
		return;
	rules_clear(r);
	free(r);
}

static bool
parse_members(struct rule *rule, const json_t *object, struct err *e)
{
	static const char *const known[] = {
	    "endpoint", "nth", "count", "every", "probability", "fault", "comment"};
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		size_t i = 0, n = sizeof(known) / sizeof(*known);

		while (i < n && strcmp(key, known[i]) != 0)
			i++;
		if (i == n)
			return err_set(e, ERR_BAD_REQUEST, "a rule has no member \"%s\"", key);
	}
	value = json_object_get(object, "probability");
	rule->probability = value != NULL ? json_number_value(value) : 1.0;
	value = json_object_get(object, "nth");
	rule->nth = value != NULL ? json_integer_value(value) : 1;
	value = json_object_get(object, "every");
	rule->every = value != NULL ? json_integer_value(value) : 1;
	rule->count = json_integer_value(json_object_get(object, "count"));
	if (rule->nth < 1 || rule->every < 1 || rule->count < 0 || rule->probability < 0 ||
	    rule->probability > 1)
		return err_set(
		    e, ERR_BAD_REQUEST, "nth and every start at 1, probability is from 0 to 1");
	return true;
}

static bool
parse_faults(struct rule *rule, const json_t *fault, struct err *e)
{
	size_t n = json_is_array(fault) ? json_array_size(fault) : 1;

	if (n == 0 || n > FAULTS_MAX)
		return err_set(e, ERR_BAD_REQUEST, "a rule has 1 to %d faults", FAULTS_MAX);
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_is_array(fault) ? json_array_get(fault, i) : fault;

		if (!fault_parse(&rule->faults[i], one, rule->endpoint, e))
			return false;
		rule->fault_count++;
	}
	return true;
}

static struct rule *
parse_rule(const json_t *object, struct err *e)
{
	struct rule *rule = xcalloc(1, sizeof(*rule));
	const char *endpoint = json_string_value(json_object_get(object, "endpoint"));
	bool good;

	rule->endpoint = endpoint_of(endpoint != NULL ? endpoint : "*");
	if (rule->endpoint > EP_ANY)
		good = err_set(e, ERR_BAD_REQUEST, "there is no endpoint \"%s\"", endpoint);
	else
		good = parse_members(rule, object, e) &&
		    parse_faults(rule, json_object_get(object, "fault"), e);
	rule->source = json_deep_copy(object);
	if (!good) {
		rule_free(rule);
		return NULL;
	}
	return rule;
}

static const json_t *
as_list(const json_t *rules, json_t **ret_temporary)
{
	const json_t *inner = json_object_get(rules, "rules");

	*ret_temporary = NULL;
	if (inner != NULL)
		rules = inner;
	if (!json_is_array(rules)) {
		*ret_temporary = json_array();
		json_array_append(*ret_temporary, (json_t *)rules);
		rules = *ret_temporary;
	}
	return rules;
}

bool
rules_add(struct rules *r, const json_t *rules, json_t *ret_ids, struct err *e)
{
	struct rule_list made = TAILQ_HEAD_INITIALIZER(made);
	json_t *temporary, *object;
	const json_t *list = as_list(rules, &temporary);
	struct rule *rule;
	bool good = true;
	size_t i;

	json_array_foreach(list, i, object)
	{
		rule = parse_rule(object, e);
		if (rule == NULL) {
			good = err_prefix(e, "rule %zu", i + 1);
			break;
		}
		TAILQ_INSERT_TAIL(&made, rule, link);
	}
	json_decref(temporary);
	if (!good)
		list_clear(&made);
	while ((rule = TAILQ_FIRST(&made)) != NULL) {
		TAILQ_REMOVE(&made, rule, link);
		rule->id = ++r->last_id;
		TAILQ_INSERT_TAIL(&r->list, rule, link);
		json_array_append_new(ret_ids, json_integer(rule->id));
	}
	return good;
}

bool
rules_remove(struct rules *r, json_int_t id)
{
	struct rule *rule;

	TAILQ_FOREACH (rule, &r->list, link) {
		if (rule->id == id) {
			TAILQ_REMOVE(&r->list, rule, link);
			rule_free(rule);
			return true;
		}
	}
	return false;
}

static bool
strikes(struct rule *rule)
{
	rule->seen++;
	if (rule->seen < rule->nth || (rule->seen - rule->nth) % rule->every != 0 ||
	    (rule->count > 0 && rule->fired >= rule->count))
		return false;
	if (rule->probability < 1 && random_below(MILLION) >= rule->probability * MILLION)
		return false;
	rule->fired++;
	return true;
}

void
rules_match(struct rules *r, enum endpoint e, struct fault_set *ret_faults)
{
	struct rule *rule;

	ret_faults->count = 0;
	TAILQ_FOREACH (rule, &r->list, link) {
		bool matches =
		    rule->endpoint == e || (rule->endpoint == EP_ANY && e != EP_CONNECTION);

		if (!matches || !strikes(rule))
			continue;
		for (size_t i = 0; i < rule->fault_count; i++)
			if (ret_faults->count < FAULTS_AT_ONCE)
				ret_faults->list[ret_faults->count++] = &rule->faults[i];
	}
}

json_t *
rules_json(const struct rules *r)
{
	json_t *list = json_array();
	struct rule *rule;

	TAILQ_FOREACH (rule, &r->list, link) {
		json_t *object = json_deep_copy(rule->source);

		json_object_set_new(object, "id", json_integer(rule->id));
		json_object_set_new(object, "seen", json_integer(rule->seen));
		json_object_set_new(object, "fired", json_integer(rule->fired));
		json_array_append_new(list, object);
	}
	return list;
}

const struct fault *
fault_set_find(const struct fault_set *s, enum fault_id id)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i]->id == id)
			return s->list[i];
	return NULL;
}
