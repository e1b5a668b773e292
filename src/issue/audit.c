/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/audit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/log_audit.h"
#include "codec/identifier.h"
#include "codec/problem.h"

static const char *const words[] = {
    [AUDIT_ISSUED] = "issued",
    [AUDIT_REDELIVERED] = "redelivered",
    [AUDIT_REFUSED] = "refused",
    [AUDIT_REVOKED] = "revoked",
    [AUDIT_NOT_REVOKED] = "revocation refused",
    [AUDIT_BARRED] = "key barred",
};
static_assert(sizeof(words) / sizeof(words[0]) == AUDIT_DECISION_COUNT, "a word for each");

void
audit_tell(enum audit_decision decision, const struct audit *a)
{
	struct log_context ctx = *a->who;

	ctx.key = a->key;
	ctx.serial = a->serial;
	ctx.rule = a->rule;
	log_audit(&ctx, a->names, words[decision], a->detail);
}

static bool
is_refusal(enum err_kind kind)
{
	return kind == ERR_FORBIDDEN || kind == ERR_BAD_CSR || kind == ERR_BAD_REQUEST ||
	    kind == ERR_VALIDATION || kind == ERR_RATE_LIMITED;
}

void
audit_refusal(enum audit_decision decision, const struct audit *a, const struct err *e)
{
	struct audit told = *a;
	char rule[80];

	if (!is_refusal(e->kind))
		return;
	if (told.rule == NULL) {
		const char *type = problem_type_name((enum problem_type)e->problem);

		snprintf(rule, sizeof(rule), "ca%s%s", type[0] != '\0' ? ":" : "", type);
		told.rule = rule;
	}
	told.detail = e->detail;
	audit_tell(decision, &told);
}

char *
audit_key(size_t key, size_t count)
{
	return key > 0 ? xasprintf("%zu of %zu", key, count) : NULL;
}

char *
audit_names(const struct identifiers *names, const char *shown)
{
	char *all = identifiers_list(names);

	if (strcmp(all, shown) != 0)
		return all;
	free(all);
	return NULL;
}
