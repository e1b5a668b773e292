/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules: which requests meet which faults. All rules that match act, in the order they were made.
 */
#pragma once

#include <jansson.h>

#include "base/err.h"
#include "fault.h"

enum { FAULTS_AT_ONCE = 16 };

/* The faults of one request; valid until the rules change. */
struct fault_set {
	const struct fault *list[FAULTS_AT_ONCE];
	size_t count;
};

struct rules;

struct rules *rules_new(void);
void rules_free(struct rules *r);
/* A rule, a list of them, or {"rules": [...]}. All or nothing; appends their ids to ret_ids. */
bool rules_add(struct rules *r, const json_t *rules, json_t *ret_ids, struct err *e);
/* False if there is no such rule. */
bool rules_remove(struct rules *r, json_int_t id);
void rules_clear(struct rules *r);
/* Counts the request and says what befalls it. */
void rules_match(struct rules *r, enum endpoint e, struct fault_set *ret_faults);
/* The rules with how often each matched and acted. */
json_t *rules_json(const struct rules *r);

/* Or NULL. */
const struct fault *fault_set_find(const struct fault_set *s, enum fault_id id);
