/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the CA remembers: accounts, orders, authorizations, certificates (RFC 8555 7.1). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "issuer.h"
#include "table.h"

struct jwk;
struct map;

enum { STATE_IDENTIFIERS_MAX = 100, TOKEN_TEXT = 44 };

enum status {
	STATUS_PENDING = 0,
	STATUS_READY,
	STATUS_PROCESSING,
	STATUS_VALID,
	STATUS_INVALID,
	STATUS_DEACTIVATED,
};

struct account {
	uint64_t id;
	enum status status;
	struct jwk *key;
	json_t *contact; /* a list; NULL: none */
	json_t *binding; /* externalAccountBinding as it came, or NULL */
	bool agreed;
	uint64_t orders; /* how many were made */
};

enum identifier_kind { IDENTIFIER_DNS = 0, IDENTIFIER_IP };

struct identifier {
	enum identifier_kind kind;
	char *value;
};

struct challenge {
	char *type;
	enum status status;
	bool has_token;
	bool posted;
	int64_t validated;
	json_t *error;
};

enum { CHALLENGES_MAX = 8 };

struct authz {
	uint64_t id;
	struct order *order;
	enum status status;
	struct identifier identifier; /* without "*." */
	bool wildcard;
	char token[TOKEN_TEXT];
	struct challenge challenges[CHALLENGES_MAX];
	size_t challenge_count;
};

/* What a fault has in store for an order that is processing. */
enum fate { FATE_VALID = 0, FATE_NEVER, FATE_INVALID };

struct order {
	uint64_t id;
	struct account *account;
	enum status status;
	char *key; /* names, sorted: equal for equal sets */
	struct identifier *identifiers;
	size_t count;
	uint64_t *authz;
	size_t authz_count;
	char *profile;  /* or NULL */
	char *replaces; /* or NULL */
	uint64_t cert;  /* 0: none */
	json_t *error;
	long stay_pending; /* polls for which it stays pending though it could be ready; -1: all */
	enum fate fate;
	long polls_left;  /* of processing */
	int64_t ready_at; /* milliseconds of the monotonic clock: end of processing */
	int64_t expires;
};

struct cert {
	uint64_t id;
	struct order *order;
	uint8_t serial[ISSUER_SERIAL];
	struct buf der;
	struct buf spki_bytes;
	int64_t start, end;
	bool revoked, replaced;
};

struct state {
	struct table accounts, orders, authz, certs;
	struct map *by_thumbprint; /* accounts */
	struct map *by_serial;     /* certificates */
	struct map *open_orders;   /* the newest order of each key */
};

void state_init(struct state *s);
void state_done(struct state *s);
/* All is forgotten, as when Pebble starts anew; numbers go on. */
void state_forget(struct state *s);
/* "pending", ... */
const char *status_name(enum status s);
