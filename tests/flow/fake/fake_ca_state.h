/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the fake CA keeps; for its own files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/json.h"
#include "fake_ca.h"

enum { FAKE_ACCOUNTS = 16, FAKE_NONCES = 20000, FAKE_NAMES = 100, FAKE_TYPES = 8 };

enum fake_status { FAKE_PENDING, FAKE_READY, FAKE_PROCESSING, FAKE_VALID, FAKE_INVALID };

struct fake_account {
	char *jwk;
	unsigned id;
	bool removed;
	struct json *contact;
};

struct fake_authz {
	struct fake_ca *ca;
	unsigned id;
	char name[256]; /* without "*." */
	bool ip;
	bool wildcard;
	enum fake_status status;
	enum fake_status challenge;
	char token[32];
	char type[32]; /* of the challenge that was posted */
	bool error;
	unsigned posts;
	struct timer *timer;
};

struct fake_order {
	unsigned id;
	char *key; /* names and profile */
	unsigned authz[FAKE_NAMES];
	size_t authz_count;
	enum fake_status status;
	unsigned polls;
	bool foreign;
	char *pem;
	bool revoked;
	int64_t expires;
};

struct fake_ca_state {
	unsigned next_id;
	unsigned next_nonce;
	unsigned first_nonce;
	bool nonce_used[FAKE_NONCES];
	struct fake_account accounts[FAKE_ACCOUNTS];
	size_t account_count;
	struct fake_authz **authzs;
	size_t authz_count;
	struct fake_order **orders;
	size_t order_count;
};

/* A signed request, taken apart. */
struct fake_signed {
	struct json *protected;
	char *payload;     /* "" for POST-as-GET */
	struct json *body; /* the payload, or NULL */
};

void fake_violation(struct fake_ca *ca, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Fills s or the reply (badNonce, accountDoesNotExist). */
bool fake_signed_open(struct fake_ca *ca, enum fake_step step,
    const struct fake_http_request *request, struct fake_signed *s, struct fake_http_reply *reply);
void fake_signed_close(struct fake_signed *s);
/* A member of a JWS as text; NULL if there is none. */
char *fake_decoded(const struct json *jws, const char *member);

void fake_new_account(
    struct fake_ca *ca, const struct fake_signed *s, struct fake_http_reply *reply);
void fake_account(struct fake_ca *ca, const struct fake_signed *s, struct fake_http_reply *reply);
void fake_key_change(
    struct fake_ca *ca, const struct fake_signed *s, struct fake_http_reply *reply);
void fake_new_order(struct fake_ca *ca, const struct fake_signed *s, struct fake_http_reply *reply);
void fake_order(struct fake_ca *ca, unsigned id, struct fake_http_reply *reply);
void fake_authorization(struct fake_ca *ca, unsigned id, struct fake_http_reply *reply);
void fake_challenge(
    struct fake_ca *ca, unsigned id, const char *type, struct fake_http_reply *reply);
void fake_finalize(
    struct fake_ca *ca, unsigned id, const struct fake_signed *s, struct fake_http_reply *reply);
void fake_certificate(struct fake_ca *ca, unsigned id, struct fake_http_reply *reply);
void fake_revoke(struct fake_ca *ca, const struct fake_signed *s, struct fake_http_reply *reply);
void fake_orders_forget(struct fake_ca *ca);
void fake_json_reply(struct fake_http_reply *reply, int status, struct json *body);
