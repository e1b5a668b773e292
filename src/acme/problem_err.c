/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/problem_err.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

static const char *const place_names[] = {
    [PLACE_DIRECTORY] = "directory",
    [PLACE_NONCE] = "new nonce",
    [PLACE_ACCOUNT] = "account",
    [PLACE_NEW_ORDER] = "new order",
    [PLACE_ORDER] = "order",
    [PLACE_AUTHORIZATION] = "authorization",
    [PLACE_CHALLENGE] = "challenge",
    [PLACE_FINALIZE] = "finalize",
    [PLACE_CERTIFICATE] = "certificate",
    [PLACE_REVOKE] = "revocation",
    [PLACE_VALIDATION] = "validation",
    [PLACE_ISSUANCE] = "order",
};
static_assert(sizeof(place_names) / sizeof(place_names[0]) == PLACE_COUNT, "one name per place");

const char *
acme_place_name(enum acme_place place)
{
	return place_names[place];
}

/* ---- the table ---- */

/* anywhere; the others differ from it where they are not ERR_NONE. */
struct row {
	enum err_kind anywhere;
	enum err_kind new_order;
	enum err_kind finalize;
	enum err_kind revoke; /* ERR_BAD_CSR: it is no certificate for this CA */
	enum err_kind object; /* error members of challenges and orders */
};

static const struct row rows[] = {
    /* For NONE and OTHER, ERR_NONE leaves it to the HTTP status or the place. */
    [PROBLEM_NONE] = {.anywhere = ERR_NONE},
    [PROBLEM_OTHER] = {.anywhere = ERR_NONE},
    [PROBLEM_ACCOUNT_DOES_NOT_EXIST] = {.anywhere = ERR_ACCOUNT},
    [PROBLEM_ALREADY_REPLACED] = {.anywhere = ERR_UPSTREAM},
    [PROBLEM_ALREADY_REVOKED] = {.anywhere = ERR_UPSTREAM},
    [PROBLEM_BAD_CSR] = {.anywhere = ERR_BAD_CSR},
    [PROBLEM_BAD_NONCE] = {.anywhere = ERR_UPSTREAM},
    [PROBLEM_BAD_PUBLIC_KEY] = {.anywhere = ERR_ACCOUNT,
	.finalize = ERR_BAD_CSR,
	.new_order = ERR_BAD_CSR,
	.object = ERR_BAD_CSR},
    [PROBLEM_BAD_REVOCATION_REASON] = {.anywhere = ERR_INTERNAL, .revoke = ERR_BAD_REQUEST},
    [PROBLEM_BAD_SIGNATURE_ALGORITHM] = {.anywhere = ERR_ACCOUNT, .object = ERR_BAD_CSR},
    [PROBLEM_CAA] = {.anywhere = ERR_VALIDATION},
    [PROBLEM_COMPOUND] = {.anywhere = ERR_NONE},
    [PROBLEM_CONNECTION] = {.anywhere = ERR_VALIDATION},
    [PROBLEM_DNS] = {.anywhere = ERR_VALIDATION},
    [PROBLEM_EXTERNAL_ACCOUNT_REQUIRED] = {.anywhere = ERR_ACCOUNT},
    [PROBLEM_INCORRECT_RESPONSE] = {.anywhere = ERR_VALIDATION},
    [PROBLEM_INVALID_CONTACT] = {.anywhere = ERR_ACCOUNT},
    [PROBLEM_INVALID_PROFILE] = {.anywhere = ERR_CONFIG},
    /* Outside of orders it is our kid, key or engine that the CA does not like. */
    [PROBLEM_MALFORMED] = {.anywhere = ERR_ACCOUNT,
	.new_order = ERR_BAD_CSR,
	.finalize = ERR_BAD_CSR,
	.revoke = ERR_BAD_CSR,
	.object = ERR_VALIDATION},
    [PROBLEM_ORDER_NOT_READY] = {.anywhere = ERR_UPSTREAM},
    [PROBLEM_RATE_LIMITED] = {.anywhere = ERR_RATE_LIMITED},
    [PROBLEM_REJECTED_IDENTIFIER] = {.anywhere = ERR_FORBIDDEN},
    [PROBLEM_SERVER_INTERNAL] = {.anywhere = ERR_UPSTREAM},
    [PROBLEM_TLS] = {.anywhere = ERR_VALIDATION},
    [PROBLEM_UNAUTHORIZED] = {.anywhere = ERR_ACCOUNT,
	.finalize = ERR_BAD_CSR,
	.revoke = ERR_FORBIDDEN,
	.object = ERR_VALIDATION},
    [PROBLEM_UNSUPPORTED_CONTACT] = {.anywhere = ERR_ACCOUNT},
    [PROBLEM_UNSUPPORTED_IDENTIFIER] = {.anywhere = ERR_FORBIDDEN},
    [PROBLEM_USER_ACTION_REQUIRED] = {.anywhere = ERR_ACCOUNT},
};
static_assert(sizeof(rows) / sizeof(rows[0]) == PROBLEM_TYPE_COUNT, "one row per problem type");

/* Where no order is spoken of, nothing can be wrong with its names or its CSR. */
static enum err_kind
sensible(enum err_kind kind, enum acme_place place)
{
	bool of_orders = kind == ERR_FORBIDDEN || kind == ERR_BAD_CSR || kind == ERR_VALIDATION;
	bool order = place != PLACE_DIRECTORY && place != PLACE_NONCE && place != PLACE_ACCOUNT;

	return of_orders && !order ? ERR_UPSTREAM : kind;
}

static enum err_kind
row_kind(const struct row *row, enum acme_place place)
{
	enum err_kind kind = ERR_NONE;

	if (place == PLACE_NEW_ORDER)
		kind = row->new_order;
	else if (place == PLACE_FINALIZE)
		kind = row->finalize;
	else if (place == PLACE_REVOKE)
		kind = row->revoke;
	else if (place == PLACE_VALIDATION || place == PLACE_ISSUANCE)
		kind = row->object;
	return sensible(kind != ERR_NONE ? kind : row->anywhere, place);
}

enum err_kind
problem_err_kind(enum problem_type type, enum acme_place place)
{
	enum err_kind kind = row_kind(&rows[type], place);

	if (kind != ERR_NONE)
		return kind;
	return place == PLACE_VALIDATION ? ERR_VALIDATION : ERR_UPSTREAM;
}

/* First is worst: what the operator must mend, what is refused for good, what the client must
 * mend, what time cures. */
static const enum err_kind severity[] = {
    ERR_INTERNAL,
    ERR_CONFIG,
    ERR_ACCOUNT,
    ERR_FORBIDDEN,
    ERR_BAD_CSR,
    ERR_VALIDATION,
    ERR_RATE_LIMITED,
    ERR_UPSTREAM,
    ERR_UNREACHABLE,
};

enum err_kind
err_kind_worse(enum err_kind a, enum err_kind b)
{
	for (size_t i = 0; i < sizeof(severity) / sizeof(severity[0]); i++)
		if (severity[i] == a || severity[i] == b)
			return severity[i];
	return a;
}

/* ---- texts ---- */

enum {
	TEXT_MAX = ERR_DETAIL_MAX - 100, /* room for the prefixes on the way up */
	TEXT_NAMES = 300,                /* of which this much is kept for bare names */
};

static void
sub_text(struct buf *text, const struct problem_sub *sub, size_t left)
{
	const char *name = sub->identifier[0] != '\0' ? sub->identifier : "?";
	const char *type = problem_type_name(sub->type);
	const char *sep = text->len > 0 ? "; " : "";

	if (text->len + strlen(name) + strlen(sub->detail) + 40 > TEXT_MAX - TEXT_NAMES) {
		if (text->len + strlen(name) + 40 < TEXT_MAX)
			buf_addf(text, "%s%s", sep, name);
		else if (left == 0)
			buf_adds(text, " and more");
		return;
	}
	buf_addf(text, "%s%s: %s", sep, name, sub->detail);
	if (type[0] != '\0')
		buf_addf(text, " (%s)", type);
}

/* Subproblems know better than the summary above them, where they have a type we know. */
static enum err_kind
worst_kind(const struct problem *p, enum acme_place place)
{
	enum err_kind worst = ERR_NONE;

	for (size_t i = 0; i < p->sub_count; i++) {
		enum err_kind kind = row_kind(&rows[p->subs[i].type], place);

		if (kind != ERR_NONE)
			worst = worst == ERR_NONE ? kind : err_kind_worse(worst, kind);
	}
	return worst != ERR_NONE ? worst : problem_err_kind(p->type, place);
}

bool
problem_err(const struct problem *p, enum acme_place place, const char *who, struct err *e)
{
	struct buf text CLEANUP_BUF;
	const char *type = problem_type_name(p->type);

	buf_init(&text, TEXT_MAX);
	for (size_t i = 0; i < p->sub_count; i++)
		sub_text(&text, &p->subs[i], p->sub_count - i - 1);
	if (p->sub_count == 0) {
		buf_adds(&text, p->detail[0] != '\0' ? p->detail : "no reason given");
		if (type[0] != '\0')
			buf_addf(&text, " (%s)", type);
	}
	if (p->type == PROBLEM_USER_ACTION_REQUIRED && p->instance[0] != '\0')
		buf_addf(&text, "; see %s", p->instance);
	err_set(e, worst_kind(p, place), "%s%s%s", who != NULL ? who : "", who != NULL ? ": " : "",
	    text.data != NULL ? text.data : "");
	if (e != NULL) {
		e->problem = (int)p->type;
		/* newOrder brings no CSR (RFC 8555 7.4). */
		e->of_names = place == PLACE_NEW_ORDER;
	}
	return false;
}

/* The status decides where the type does not: 429 is a rate limit and 503 a CA that is not well,
 * whatever else stands there; what is not found is not our account, but may well be a certificate
 * of another CA. */
static void
status_kind(int status, const struct problem *p, enum acme_place place, struct err *e)
{
	bool typed = rows[p->type].anywhere != ERR_NONE;

	if (status == 429 && !typed)
		e->kind = ERR_RATE_LIMITED;
	else if ((status == 503 && p->type != PROBLEM_RATE_LIMITED) ||
	    ((status == 404 || status == 405) && p->type == PROBLEM_MALFORMED &&
		place != PLACE_REVOKE))
		e->kind = ERR_UPSTREAM;
}

bool
problem_err_status(
    int status, const char *body, size_t len, enum acme_place place, const char *who, struct err *e)
{
	struct problem p = {0};

	if (!problem_parse(body, len, &p)) {
		err_set(e, status == 429 ? ERR_RATE_LIMITED : ERR_UPSTREAM,
		    "%s answered with status %d and no reason", who, status);
		return false;
	}
	problem_err(&p, place, who, e);
	if (e != NULL)
		status_kind(status, &p, place, e);
	problem_done(&p);
	return false;
}
