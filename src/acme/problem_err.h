/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a problem of the CA means for whoever asked: one table, problem type and
 * place to error kind (acmems(8)). The place matters: "unauthorized" is our
 * account at newOrder, the CSR at finalize, and a failed validation inside an
 * authorization.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "codec/problem.h"

enum acme_place {
	PLACE_DIRECTORY,
	PLACE_NONCE,
	PLACE_ACCOUNT,
	PLACE_NEW_ORDER,
	PLACE_ORDER,
	PLACE_AUTHORIZATION,
	PLACE_CHALLENGE,
	PLACE_FINALIZE,
	PLACE_CERTIFICATE,
	PLACE_REVOKE,
	PLACE_VALIDATION, /* the error member of a challenge */
	PLACE_ISSUANCE,   /* the error member of an order */
	PLACE_COUNT
};
/* "new order", for people. */
const char *acme_place_name(enum acme_place place);

enum err_kind problem_err_kind(enum problem_type type, enum acme_place place);
/* Which of two failures counts: the one that waiting cures least. */
enum err_kind err_kind_worse(enum err_kind a, enum err_kind b);

/* Fills *e from a problem: the worst of its subproblems counts and each of their names is listed,
 * as far as there is room. who is put in front unless NULL (the CA's host). Returns false. */
bool problem_err(const struct problem *p, enum acme_place place, const char *who, struct err *e);
/* An HTTP status that is no success, and its body, which may be a problem, or anything. */
bool problem_err_status(int status, const char *body, size_t len, enum acme_place place,
    const char *who, struct err *e);
