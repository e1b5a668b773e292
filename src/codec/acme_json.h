/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The JSON objects of RFC 8555 section 7.1, from bytes to structs. Status strings
 * become enums here, once. Unknown members, unknown challenge types and
 * challenges without a token are skipped; null counts as absent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/identifier.h"
#include "codec/problem.h"
#include "codec/uri.h"

enum acme_status {
	ACME_STATUS_UNKNOWN = 0,
	ACME_STATUS_PENDING,
	ACME_STATUS_READY,
	ACME_STATUS_PROCESSING,
	ACME_STATUS_VALID,
	ACME_STATUS_INVALID,
	ACME_STATUS_DEACTIVATED,
	ACME_STATUS_EXPIRED,
	ACME_STATUS_REVOKED,
};
const char *acme_status_name(enum acme_status status);

enum { ACME_TOKEN_MAX = 256, ACME_PROFILES_MAX = 32 };

/* 7.1.1; URLs are owned strings, NULL if the directory lacks them. */
struct acme_directory {
	char *new_nonce;
	char *new_account;
	char *new_order;
	char *revoke_cert;
	char *key_change;
	char *renewal_info;
	char *terms_of_service;
	bool external_account_required;
	char *profiles[ACME_PROFILES_MAX]; /* names; draft-ietf-acme-profiles */
	size_t profile_count;
};
/* newNonce, newAccount and newOrder are required; every URL must have the scheme https_required
 * says (only URLs of the scheme of the directory are followed). ERR_UPSTREAM. */
bool acme_directory_parse(
    const char *body, size_t len, bool https_required, struct acme_directory *ret, struct err *e);
void acme_directory_done(struct acme_directory *d);

/* 7.1.3 */
struct acme_order_object {
	enum acme_status status;
	int64_t expires;   /* 0 if not given */
	char *finalize;    /* NULL at most where the status is neither pending nor ready */
	char *certificate; /* NULL until there is one */
	char **authorizations;
	size_t authorization_count; /* at most IDENTIFIERS_MAX; may be 0 */
	struct problem *error;      /* owned; NULL: none */
};
bool acme_order_parse(const char *body, size_t len, bool https_required,
    struct acme_order_object *ret, struct err *e);
void acme_order_object_done(struct acme_order_object *o);

struct acme_challenge_object {
	char type[32]; /* "http-01", "dns-01", ... */
	enum acme_status status;
	char *url;
	char *token;           /* [A-Za-z0-9_-]+, at most ACME_TOKEN_MAX */
	struct problem *error; /* owned; NULL: none */
};
/* An answer to a challenge request: type, url and token may be missing ("", NULL, NULL). */
bool acme_challenge_parse(const char *body, size_t len, bool https_required,
    struct acme_challenge_object *ret, struct err *e);
void acme_challenge_object_done(struct acme_challenge_object *c);

/* 7.1.4 */
struct acme_authorization_object {
	enum acme_status status;
	int64_t expires;
	bool wildcard;
	struct identifier identifier;             /* without "*." */
	struct acme_challenge_object *challenges; /* each with type, url and token */
	size_t challenge_count;
};
bool acme_authorization_parse(const char *body, size_t len, bool https_required,
    struct acme_authorization_object *ret, struct err *e);
void acme_authorization_object_done(struct acme_authorization_object *a);

/* 7.1.2 */
struct acme_account_object {
	enum acme_status status;
	char *orders;      /* or NULL */
	struct json *body; /* the whole object, for registration.json; owned */
};
bool acme_account_parse(
    const char *body, size_t len, struct acme_account_object *ret, struct err *e);
void acme_account_object_done(struct acme_account_object *a);
